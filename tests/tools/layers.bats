# The check of layers finds what it is there for, in a house of three rooms.

setup() {
    command -v python3 >/dev/null || skip "python3 is not installed"
    LAYERS=$BATS_TEST_DIRNAME/layers.py
    cd "$BATS_TEST_TMPDIR"
    mkdir -p lib/base lib/space lib/model
    printf '%s\n' 'LAYERS     := base space model' 'SEES_base  :=' 'SEES_space := base' \
        'SEES_model := base space' >Makefile
    printf '%s\n' 'lib/model/  the model' 'lib/space/  places' 'lib/base/   the rest' >README.md
    echo '#include <stdio.h>' >lib/base/err.h
    echo '#include "base/err.h"' >lib/space/space.h
    echo '#include "space/space.h"' >lib/model/model.h
    echo '#include "model.h"' >lib/model/model.c
}

# finds TEXT: the check fails and says no more than TEXT.
finds() {
    run "$LAYERS"
    [ "$status" = 1 ]
    [ "$output" = "$1" ] || { echo "$output"; false; }
}

@test "a house in order is passed" {
    run "$LAYERS"
    [ "$status" = 0 ]
    [ -z "$output" ]
}

@test "a room that is seen through another's header counts" {
    sed -i 's/^SEES_model.*/SEES_model := space/' Makefile
    finds "lib/model sees base/, and SEES_model does not: \
model/model.c > model/model.h > space/space.h > base/err.h"
}

@test "a room may not be seen from below" {
    echo '#include "space/space.h"' >lib/base/err.c
    finds "lib/base sees space/, and SEES_base does not: base/err.c > space/space.h"
    sed -i 's/^SEES_base.*/SEES_base := space/' Makefile
    finds "Makefile: SEES_base names space, which is not below it in LAYERS"
}

@test "a row that allows too much is stale" {
    rm lib/model/*
    echo '#include "base/err.h"' >lib/model/model.c
    finds "Makefile: SEES_model names space, and nothing in lib/model includes it"
}

@test "headers in a circle are named once, wherever they are" {
    echo '#include "state.h"' >>lib/model/model.h
    echo '#include "model/model.h"' >lib/model/state.h
    finds "circle of headers: model/model.h > model/state.h > model/model.h"
}

@test "a new room needs a row, and a line in README" {
    mkdir lib/mask
    finds "lib/mask: expected a folder, a name in LAYERS and a row SEES_mask in the Makefile"
    rmdir lib/mask
    sed -i 1d README.md
    finds "README.md: the house shows space base; expected model space base"
}

@test "no test names a place of its own in a folder of all" {
    run grep -rln --include='*.c' --include='*.h' --include='*.bats' --include='*.bash' '["= ]/tmp/' "$BATS_TEST_DIRNAME/.."
    [ -z "$output" ]
}
