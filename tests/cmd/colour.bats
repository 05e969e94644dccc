#!/usr/bin/env bats
# Colours: on a terminal, or when asked for; never in a pipe, a file or against NO_COLOR by default.
load help_cmd.bash

escape=$(printf '\033')

# on_terminal WORD...: what the program prints when its standard output is a terminal.
on_terminal() {
    command -v python3 >/dev/null || skip "python3 opens the terminal, and is not installed"
    python3 -c 'import pty, sys; pty.spawn(sys.argv[1:])' "$URPE_PROBE" "$@" </dev/null
}

coloured() { case "$1" in *"$escape["*m*) ;; *) return 1 ;; esac; }

@test "a pipe has no colours unless --color always" {
    probe run tiny.yaml --quiet
    for words in "run tiny.yaml" "report results/tiny" "bound tiny.yaml"; do
        # shellcheck disable=SC2086
        try $words
        if coloured "$output$errors"; then false; fi
        # shellcheck disable=SC2086
        try $words --color always
        coloured "$output"
        # Without the colours it is the same text.
        plain=$(printf '%s' "$output" | sed "s/$escape\\[[0-9;]*m//g")
        # shellcheck disable=SC2086
        try $words
        [ "$plain" = "$output" ]
    done
}

@test "a terminal has colours, unless NO_COLOR, TERM=dumb or --color never" {
    probe run tiny.yaml --quiet
    unset NO_COLOR
    export TERM=xterm
    coloured "$(on_terminal report results/tiny)"
    coloured "$(NO_COLOR='' on_terminal report results/tiny)"
    if coloured "$(NO_COLOR=1 on_terminal report results/tiny)"; then false; fi
    if coloured "$(TERM=dumb on_terminal report results/tiny)"; then false; fi
    if coloured "$(on_terminal report results/tiny --color never)"; then false; fi
    coloured "$(NO_COLOR=1 on_terminal report results/tiny --color always)"
}

@test "--color takes three words" {
    try run tiny.yaml --color alway
    [ "$status" = 2 ]
    has "auto, always or never was expected; did you mean always?" "$errors"
    try check tiny.yaml --color always
    [ "$status" = 2 ]
    has "\`check\` does not take --color" "$errors"
}
