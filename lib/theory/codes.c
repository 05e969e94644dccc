/* Points of a sphere (codes.h). */
#include "theory/codes.h"

#include <math.h>

#define GOLDEN_ANGLE 2.39996322972865332223 /* pi (3 - sqrt 5) */

void codes_fill(int count, double (*point)[CODES_DIMENSION])
{
    for (int k = 0; k < count; k++) {
        double z = 1 - (2.0 * k + 1) / count, r = sqrt(1 - z * z), turn = k * GOLDEN_ANGLE;
        point[k][0] = r * cos(turn);
        point[k][1] = r * sin(turn);
        point[k][2] = z;
    }
}

/* Points further apart in the last coordinate than the best pair so far need not be compared. */
double codes_distance(int count, double (*point)[CODES_DIMENSION])
{
    double best = 2;
    for (int a = 0; a < count; a++)
        for (int b = a + 1; b < count && fabs(point[b][2] - point[a][2]) < best; b++) {
            double square = 0;
            for (int c = 0; c < CODES_DIMENSION; c++)
                square += (point[a][c] - point[b][c]) * (point[a][c] - point[b][c]);
            best = fmin(best, sqrt(square));
        }
    return best;
}
