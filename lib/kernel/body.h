/* Private to lib/kernel: all kernels over vectors of SIMD_BYTES, and their table under the name TABLE;
 * included once by each variant. */
#include <string.h>

/* In this order: each uses what stands before it. */
#include "kernel/simd.h"
#include "kernel/simd_math.h"
#include "kernel/body_elements.h"
#include "kernel/body_rows.h"
#include "kernel/body_product.h"
#include "kernel/body_attention_block.h"
#include "kernel/body_attention.h"

const struct kernel_table TABLE = {
    .name = NAME,
    .multiply_add = variant_multiply_add,
    .bias_forward = variant_bias_forward,
    .bias_backward = variant_bias_backward,
    .add_forward = variant_add_forward,
    .activation_forward = variant_activation_forward,
    .activation_backward = variant_activation_backward,
    .layernorm_forward = variant_layernorm_forward,
    .layernorm_backward = variant_layernorm_backward,
    .softmax_forward = variant_softmax_forward,
    .softmax_recompute = variant_softmax_recompute,
    .softmax_backward = variant_softmax_backward,
    .crossentropy = variant_crossentropy,
    .squared_error = variant_squared_error,
    .sum_squares = variant_sum_squares,
    .adam_update = variant_adam_update,
    .attention_forward = variant_attention_forward,
    .attention_backward = variant_attention_backward,
};
