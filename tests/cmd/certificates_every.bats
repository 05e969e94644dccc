#!/usr/bin/env bats
# Every two kinds of a layer (encoding, normaliser, mask, C, convolution), in each space; with URPE_FULL every
# encoding with every normaliser, mask and kind of C.
load help_certificates

@test "what the program writes of every class is valid, with the figures of the CSV" { tests EveryClass; }
