#!/usr/bin/env bats
# Every encoding with every normaliser, mask, kind of C and space: ten thousand certificates.
load help_certificates

@test "what the program writes of every class is valid, with the figures of the CSV" { tests EveryClass; }
