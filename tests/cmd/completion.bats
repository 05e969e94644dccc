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

# typed SHELL TEXT WORD: what stands on an interactive shell's line after TEXT and a tab, by the terminal, as
# soon as WORD is in it, or after a long time without.
typed() {
    python3 - "$@" <<'PY'
import os, pty, re, select, sys, time
shell, text, word = sys.argv[1:]
start = {"zsh": "PS1='> '; PROMPT_EOL_MARK=; autoload -Uz compinit; compinit -u -d ./dump; "
                "fpath=($PWD $fpath); compdef _urpe-probe urpe-probe; autoload -Uz _urpe-probe\n",
         "bash": "PS1='> '; bind 'set bell-style none'; . ./completion.bash\n"}[shell]
pid, fd = pty.fork()
if pid == 0:
    os.environ["TERM"] = "dumb"
    os.execvp(shell, [shell, "-f", "-i"] if shell == "zsh" else [shell, "--norc", "-i"])
clean = lambda seen: re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|[\r\x07]|.\x08", "", seen.decode(errors="replace"))
def until(word):
    seen, end = b"", time.time() + 30
    while word not in clean(seen) and time.time() < end:
        if select.select([fd], [], [], 0.2)[0]:
            seen += os.read(fd, 65536)
    return clean(seen)
os.write(fd, start.encode() + b"echo here''after\n")
until("hereafter")
os.write(fd, text.encode() + b"\t")
seen = until(word)
os.write(fd, b"\x03")
os.close(fd)
print(seen)
PY
}

@test "keys after --set and the values of kinds: bash" {
    [ "$(complete_bash urpe-probe run --set model.enco | head -1)" = model.encoding= ]
    [ "$(complete_bash urpe-probe run --set train.st)" = train.steps= ]
    [ "$(complete_bash urpe-probe run --set model.encoding = kerple-l)" = kerple-log ]
    [ "$(complete_bash urpe-probe run --set model.share = | paste -sd' ')" = "true false" ]
    [ "$(complete_bash urpe-probe run --set train.steps = 3)" = "" ]
    # In the shell itself, which takes KEY=VALUE for three words.
    command -v python3 >/dev/null || skip "python3 opens the terminal, and is not installed"
    has "model.encoding=kerple-log" "$(typed bash 'urpe-probe run --set model.encoding=kerple-l' 'model.encoding=kerple-log')"
    has "train.steps=" "$(typed bash 'urpe-probe run --set train.st' 'train.steps=')"
}

@test "keys after --set and the values of kinds: zsh" {
    command -v zsh >/dev/null || skip "zsh is not installed"
    command -v python3 >/dev/null || skip "python3 opens the terminal, and is not installed"
    probe completion zsh >_urpe-probe
    has "model.encoding=kerple-log" "$(typed zsh 'urpe-probe run --set model.encoding=kerple-l' 'model.encoding=kerple-log')"
    has "train.steps=" "$(typed zsh 'urpe-probe run --set train.st' 'train.steps=')"
    has "--no-claims" "$(typed zsh 'urpe-probe run --no-c' '--no-claims')"
}

@test "keys after --set and the values of kinds: fish" {
    command -v fish >/dev/null || skip "fish is not installed"
    probe completion fish >completion.fish
    offered() { fish --no-config -c "source completion.fish; complete -C '$1'" | cut -f1 | paste -sd' '; }
    [ "$(offered 'urpe-probe run --set train.st')" = train.steps= ]
    [ "$(offered 'urpe-probe run --set model.encoding=kerple')" = \
        "model.encoding=kerple-log model.encoding=kerple-power" ]
    [ "$(offered 'urpe-probe run --set model.share=')" = "model.share=false model.share=true" ]
    [ "$(offered 'urpe-probe rep')" = report ]
}

@test "the man page has the spec's keys, files, environment and examples" {
    probe completion man | sed 's/\\-/-/g' >man
    for section in "THE SPEC" FILES ENVIRONMENT EXAMPLES; do grep -qx "\.SH $section" man; done
    while IFS= read -r key; do grep -qF -- "\fB$key\fR" man || { echo "$key"; false; }; done \
        < <(probe list keys --format csv | sed 1d | cut -d, -f1)
    # What the page calls a spec is one, and its example commands are accepted.
    sed -n '/^\.nf/,/^\.fi/p' man | sed '1d;$d' >my.yaml
    probe check my.yaml --quiet
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
    cmp "$ROOT/experiments/atlas.yaml" share/urpe-probe/atlas.yaml
    [ "$(find . -type f ! -path './share/urpe-probe/*' | wc -l)" = 6 ]
}
