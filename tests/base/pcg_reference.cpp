// Writes tests/base/pcg64.txt with the generator's own C++ library (Debian: libpcg-cpp-dev).
// A line is: state and sequence (each as high and low half), steps jumped over, ten outputs.
// The test in test_random.c builds and runs this wherever a compiler and the library are found:
//   c++ -std=c++11 -o pcg_reference tests/base/pcg_reference.cpp && ./pcg_reference > pcg64.txt
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <pcg_random.hpp>

typedef pcg_extras::pcg128_t wide;

// splitmix64: scatters the seeds, so that every bit of every half is seen set and clear.
static uint64_t scatter(uint64_t &x)
{
    uint64_t z = x += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static void row(uint64_t state_high, uint64_t state_low, uint64_t sequence_high,
                uint64_t sequence_low, uint64_t steps)
{
    pcg64 g((wide(state_high) << 64) + wide(state_low),
            (wide(sequence_high) << 64) + wide(sequence_low));
    g.advance(wide(steps));
    std::printf("%016" PRIx64 " %016" PRIx64 " %016" PRIx64 " %016" PRIx64 " %016" PRIx64,
                state_high, state_low, sequence_high, sequence_low, steps);
    for (int i = 0; i < 10; i++)
        std::printf(" %016" PRIx64, uint64_t(g()));
    std::printf("\n");
}

int main()
{
    row(0, 42, 0, 54, 0);
    row(0, 0, 0, 0, 0);
    row(~uint64_t(0), ~uint64_t(0), ~uint64_t(0) >> 1, ~uint64_t(0), ~uint64_t(0));
    uint64_t x = 1;
    for (int i = 3; i < 100; i++) {
        uint64_t state_high = scatter(x), state_low = scatter(x);
        uint64_t sequence_high = scatter(x) >> 1, sequence_low = scatter(x);
        uint64_t steps = i % 3 == 0 ? 0 : scatter(x) >> i % 64;
        row(state_high, state_low, sequence_high, sequence_low, steps);
    }
    return 0;
}
