/* Symbols as points of the unit sphere, as far apart as a spiral puts them: about 3.1 / sqrt(count).
 * Source: the Fibonacci lattice, e.g. Gonzalez 2010, Mathematical Geosciences 42, 49-64. */
#ifndef THEORY_CODES_H
#define THEORY_CODES_H

enum { CODES_DIMENSION = 3 };

void codes_fill(int count, double (*point)[CODES_DIMENSION]);
/* The smallest distance between two of them; 2 where there is one.  Points must ascend in their
 * last coordinate or descend, as codes_fill leaves them. */
double codes_distance(int count, double (*point)[CODES_DIMENSION]);

#endif
