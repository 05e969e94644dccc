#!/usr/bin/env bats
# Every encoding with every normaliser with C and without, and every two kinds of a layer, in each space; with
# URPE_FULL every encoding with every normaliser, mask and kind of C.
load help_certificates

@test "what the program writes of every class is valid, with the figures of the CSV" { tests EveryClass; }
