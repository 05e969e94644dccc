/* What a model costs in operations.  Its memory is said by the code that carves states and
 * workspaces, with a measuring arena. */
#include "model/model.h"

double model_flops(const struct model *m, int n)
{
    double w = m->width, f = (double)m->config.ffn, rows = n + m->before;
    double in = m->io.channels > 0 ? m->io.channels : 0; /* an embedding look-up multiplies nothing */
    double out = model_io_outputs(&m->io);
    double layer = 2 * rows * (4 * w * w + 2 * w * f), pairs = 0;
    for (int k = 0; k < m->config.layers; k++)
        pairs += m->layer[k].kind->shape.past ? rows * (rows + 1) / 2 : rows * rows;
    double dense = m->config.head == MODEL_HEAD_MLM ? 2 * rows * w * w : 0;
    return (double)m->config.layers * layer + 2 * 2 * pairs * w + 2 * rows * w * (in + out) + dense;
}
