# report.html as a browser sees it.
load help_cmd.bash

# Runs the tiny spec with two sizes and reports it.
make_page() {
    probe run tiny.yaml --quiet --no-progress --no-claims --set model.layers=[1,2]
    probe report results/tiny --quiet --no-claims 2>why || { cat why; return 1; }
    page=$HERE/results/tiny/report.html
    [ -s "$page" ]
}

need() { command -v "$1" >/dev/null || skip "$1 is not installed"; }

@test "the page is well-formed XML, without scripts and without anything from elsewhere" {
    need python3
    make_page
    python3 - "$page" <<'PYTHON'
import sys, xml.etree.ElementTree as tree
ids, root = [], tree.parse(sys.argv[1]).getroot()
for node in root.iter():
    name = node.tag.split("}")[1]
    assert name not in ("script", "link", "img", "iframe", "object", "embed"), name
    for key, value in node.attrib.items():
        key = key.split("}")[-1]
        assert not key.startswith("on"), key
        own = ("#", "data:image/png;base64,")
        assert key not in ("src", "href") or value.startswith(own), value
        if key == "id":
            ids.append(value)
assert len(ids) == len(set(ids)), "two elements share an id"
PYTHON
}

# look WIDTH EXPRESSION [FLAG...]: what JavaScript makes of the page in a frame of that width.
look() {
    cat >frame.html <<HTML
<!DOCTYPE html><html><body><p id="answer">nothing</p>
<iframe id="f" src="file://$page" style="width:$1px;height:800px;border:0"></iframe><script>
document.getElementById("f").onload = () => {
    const w = document.getElementById("f").contentWindow, d = w.document, root = d.documentElement;
    document.getElementById("answer").textContent = "answer:" + String($2) + ":";
};</script></body></html>
HTML
    shift 2
    timeout 60 chromium --headless --no-sandbox --disable-gpu --allow-file-access-from-files \
        --user-data-dir="$HERE/profile" --enable-logging=stderr --window-size=1400,900 \
        --virtual-time-budget=5000 "$@" --dump-dom "file://$HERE/frame.html" 2>console |
        sed -n 's/.*<p id="answer">answer:\([^:]*\):.*/\1/p'
    if grep CONSOLE console; then return 1; fi
}

@test "a browser opens the page without console errors, at a phone's and a desk's width" {
    need chromium
    make_page
    for width in 375 1200; do
        # Nothing but boxes that scroll by themselves is wider than the screen; text is legible.
        [ "$(look $width "[root.scrollWidth <= $width, Math.min(
            ...[...d.querySelectorAll('p,td,th,code,small')].map(
                n => parseFloat(w.getComputedStyle(n).fontSize))) >= 12]")" = true,true ]
    done
}

@test "at a phone's width the verdicts do not scroll, and stand before what does" {
    need chromium
    make_page
    inside="[...d.querySelectorAll('.verdicts td')].every(
        n => n.getBoundingClientRect().right <= 400 && n.innerText.includes(' '))"
    named="w.getComputedStyle(d.querySelector('.verdicts td'), '::before').content"
    order="d.querySelector('.verdicts').getBoundingClientRect().top <
        (d.querySelector('figure') || d.querySelector('details')).getBoundingClientRect().top"
    has 'true,"position rpe' "$(look 400 "[$inside && $order, $named]")"
    has "true,none" "$(look 1200 "[true, $named]")"
}

@test "dark and light follow the reader's choice" {
    need chromium
    make_page
    light=$(look 800 "w.getComputedStyle(d.body).backgroundColor" \
        --blink-settings=preferredColorScheme=1)
    dark=$(look 800 "w.getComputedStyle(d.body).backgroundColor" \
        --blink-settings=preferredColorScheme=0)
    [ "$light" = "rgb(255, 255, 255)" ]
    [ "$dark" = "rgb(22, 24, 27)" ]
    command -v gnuplot >/dev/null || skip "gnuplot draws the figures, and is not installed"
    filter="w.getComputedStyle(d.querySelector('figure')).filter"
    [ "$(look 800 "$filter" --blink-settings=preferredColorScheme=1)" = none ]
    has invert "$(look 800 "$filter" --blink-settings=preferredColorScheme=0)"
}

# marks KIND: the expression that counts the points of a figure, without definitions and the white
# rims that gnuplot gives some.
marks() {
    echo "d.querySelectorAll('figure[aria-label=$1-tiny] use:not(defs use)' +
        ':not([color=\\x22#FFFFFF\\x22])').length"
}

@test "figures have their marks" {
    need chromium
    need gnuplot
    make_page
    # floor, pairs, params, depth, curves, positions, tables, matrices: each once.
    figures="d.querySelectorAll('figure > svg').length"
    # B of four lines and C of two, as squares, not as a blur.
    squares="[...d.querySelectorAll('figure[aria-label=matrices-tiny] image')].filter(
        n => w.getComputedStyle(n).imageRendering == 'pixelated').length"
    found=$(look 1200 "[$figures, $(marks floor), $(marks params), $(marks depth), $squares]")
    # Floor: rpe and urpe at two depths, on identical and on generic inputs, explicit weights of urpe
    # on both, and three in the key.  The same errors against parameters and depth, and two in the key.
    [ "$found" = 8,15,10,10,6 ] || { echo "$found"; false; }
}
