# Completion and the man page say what --help says, and `make install` puts them in place.
load help_cmd.bash

commands() { probe --help | sed -n '/^commands:/,/^$/s/^  \([a-z][a-z]*\).*/\1/p'; }

# options COMMAND: what its help names.
options() { probe "$1" --help | sed -n 's/^  \(--[a-z-]*\).*/\1/p'; }

# complete WORD...: what bash would offer for the last word.
complete_bash() {
    probe completion bash >completion.bash
    bash -c '. ./completion.bash
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _urpe_probe
        printf "%s\n" "${COMPREPLY[@]}"' complete "$@"
}

@test "bash completes every command, and every option of each" {
    offered=$(complete_bash urpe-probe "")
    for command in $(commands); do
        printf '%s\n' "$offered" | grep -qx "$command"
        [ "$(complete_bash urpe-probe "$command" -- | sort)" = "$(options "$command" | sort)" ]
    done
    [ "$(complete_bash urpe-probe rep)" = report ]
    [ "$(complete_bash urpe-probe zzz)" = "" ]
}

@test "bash completes values and operands" {
    mkdir folder
    [ "$(complete_bash urpe-probe list --format j)" = json ]
    [ "$(complete_bash urpe-probe run --csv ti)" = tiny.yaml ]
    [ "$(complete_bash urpe-probe run tin)" = tiny.yaml ]
    [ "$(complete_bash urpe-probe run --out fol)" = folder ]
    [ "$(complete_bash urpe-probe run --jobs "")" = "" ]
    [ "$(complete_bash urpe-probe completion z)" = zsh ]
    [ "$(complete_bash urpe-probe list enc)" = encodings ]
}

@test "zsh, fish and the man page have every command and option" {
    probe completion zsh >zsh
    probe completion fish >fish
    probe completion man | sed 's/\\-/-/g' >man
    head -1 zsh | grep -qx '#compdef urpe-probe'
    for command in $(commands); do
        grep -q "^    $command) _arguments" zsh
        grep -q -- "-n __fish_use_subcommand -a $command " fish
        grep -q "^\.SS \"$command " man
        for option in $(options "$command"); do
            sed -n "/^    $command) /,/;;\$/p" zsh | grep -q -- "'\\**$option\\["
            grep -q -- "_from $command' -l ${option#--} " fish
            sed -n "/^\.SS \"$command /,/^\.S[SH] /p" man | grep -q -- "^.fB$option"
        done
    done
    if command -v zsh >/dev/null; then zsh -n zsh; fi
    if command -v fish >/dev/null; then fish -n fish; fi
    if command -v groff >/dev/null; then
        [ -z "$(probe completion man | groff -man -Tutf8 -ww 2>&1 >/dev/null)" ]
    fi
}

@test "another shell is a usage error that names the four" {
    try completion bsh
    [ "$status" = 2 ]
    has "bash, zsh, fish or man was expected; did you mean bash?" "$errors"
}

@test "make install puts both programs, man page and completion under DESTDIR and PREFIX" {
    mkdir build
    cp "$URPE_PROBE" build/urpe-probe
    make -C "$ROOT" --no-print-directory -o "$HERE/build/urpe-probe" BUILD="$HERE/build" \
        DESTDIR="$HERE/stage" PREFIX=/opt/x install >log 2>&1 || { cat log; return 1; }
    cd stage/opt/x
    [ "$(bin/urpe-probe --version)" = "$(probe --version)" ]
    cmp "$ROOT/cmd/urpe-probe-check/urpe-probe-check" bin/urpe-probe-check
    [ -x bin/urpe-probe-check ]
    probe completion man | cmp - share/man/man1/urpe-probe.1
    probe completion bash | cmp - share/bash-completion/completions/urpe-probe
    probe completion zsh | cmp - share/zsh/site-functions/_urpe-probe
    probe completion fish | cmp - share/fish/vendor_completions.d/urpe-probe.fish
    [ "$(find . -type f | wc -l)" = 6 ]
}
