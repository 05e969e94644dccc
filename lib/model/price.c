/* What a model costs in operations.  Its memory is said by the code that carves states and
 * workspaces, with a measuring arena. */
#include "model/model.h"

double model_flops(const struct model *m, int n)
{
    double w = m->width, f = (double)m->config.ffn, rows = n + m->before;
    double in = m->io.channels > 0 ? m->io.channels : 0; /* an embedding look-up multiplies nothing */
    double out = model_io_outputs(&m->io);
    double wide = m->config.gated ? 3 : 2, qkv = m->qkv_width + (m->config.output_gate ? w : 0);
    double layer = 2 * rows * (qkv * w + w * w + wide * w * f), pairs = 0;
    for (int k = 0; k < m->config.layers; k++)
        pairs += m->layer[k].kind->shape.past ? rows * (rows + 1) / 2 : rows * rows;
    double mixed = 0;
    for (int k = 0; k < m->config.layers; k++)
        for (int place = 0; place < CONVOLVED_PLACES; place++)
            if (m->layer[k].convolution[place] >= 0)
                mixed += 2 * rows * (double)m->tensors.item[m->layer[k].convolution[place]].count;
    double dense = m->config.head == MODEL_HEAD_MLM ? 2 * rows * w * w : 0;
    return (double)m->config.layers * layer + 2 * 2 * pairs * w + 2 * rows * w * (in + out) + dense + mixed;
}
