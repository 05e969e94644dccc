/* The list of a model's tensors.  Invariant: item[k].offset is the sum of the counts before it, and
 * `elements` the sum of all. */
#include "base/tensor.h"

#include <assert.h>
#include <string.h>

#include "base/memory.h"

int tensor_list_add(struct tensor_list *list, const struct tensor *t, int *index, struct err *e)
{
    assert(t->rank >= 0 && t->rank <= TENSOR_RANK_MAX);
    assert(memchr(t->name, '\0', sizeof t->name) != NULL);
    assert(tensor_list_find(list, t->name) == NULL && "two tensors of one name");
    size_t count = 1, elements;
    bool fits = true;
    for (int i = 0; i < t->rank; i++) {
        assert(t->shape[i] >= 0);
        fits = fits && memory_multiply(count, (size_t)t->shape[i], &count);
    }
    if (!fits || !memory_add(list->elements, count, &elements))
        return err_set(e, ERR_MEMORY, t->name, "the tensor has more elements than can be counted");

    if (memory_grow(list->item, (size_t)list->count + 1, e))
        return ERR_MEMORY;
    struct tensor *added = &list->item[list->count];
    *added = *t;
    added->count = count;
    added->offset = list->elements;
    list->elements = elements;
    *index = list->count++;
    return 0;
}

const struct tensor *tensor_list_find(const struct tensor_list *list, const char *name)
{
    for (int i = 0; i < list->count; i++)
        if (strcmp(list->item[i].name, name) == 0)
            return &list->item[i];
    return NULL;
}

void tensor_list_close(struct tensor_list *list)
{
    memory_free(list->item);
    *list = (struct tensor_list){0};
}
