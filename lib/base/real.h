/* `real` is float, or double when the same source is compiled a second time with -DREAL_DOUBLE.
 * The second set of objects has "_double" behind every public name: the build makes the list of
 * names from the first set (see the Makefile), so the sources need not know. */
#ifndef BASE_REAL_H
#define BASE_REAL_H
#include <float.h>

#ifdef REAL_DOUBLE
typedef double real;
#define REAL_EPSILON DBL_EPSILON
#define REAL_DIGITS 17
#define REAL_NAME "double"
#define REAL_MATH(name) name
#else
typedef float real;
#define REAL_EPSILON FLT_EPSILON
#define REAL_DIGITS 9
#define REAL_NAME "float"
#define REAL_MATH(name) name##f
#endif

#endif
