# Errors on identical tokens, target gain, in the colour of their verdict: gnuplot experiments/normalisers.gnuplot
set terminal svg size 900,560 font 'sans-serif,12' background '#ffffff' noenhanced
set output 'experiments/normalisers.svg'

# x y verdict (0 reached, 1 not reached, 2 impossible) error; y as `names` counts.
cells = "< awk -F, '".\
    "function option(name,    i, n, part) { n = split($19, part, \" \");".\
    "    for (i = 1; i <= n; i++) if (index(part[i], name \"=\") == 1) return substr(part[i], length(name) + 2);".\
    "    return \"\" }".\
    "BEGIN { n = split(\"softmax entmax sparsemax ssmax average-hard differential talking-heads linear(sum) stick-breaking(value) ".\
    "softpick elastic sink softmax-one bias-kv sigmoid relu linear(none) stick-breaking(drop)\", name, \" \");".\
    "    for (i = 1; i <= n; i++) y[name[i]] = n - i; m = split(\"none toeplitz rope alibi\", e, \" \");".\
    "    for (i = 1; i <= m; i++) x[e[i]] = i - 1 }".\
    "$3 == \"gain\" && $8 == \"identical\" && ($11 == \"none\" || $11 == \"causal\") { own = option(\"model.normaliser\");".\
    "    if (own == \"linear\") own = own \"(\" option(\"model.normaliser.divide\") \")\";".\
    "    if (own == \"stick-breaking\") own = own \"(\" option(\"model.normaliser.remainder\") \")\";".\
    "    at = x[$4] + ($11 == \"none\" ? 4.3 : 0) \" \" y[own]; if ($20 == \"error_rel\") error[at] = $22; if ($20 == \"floor_rel\") low[at] = $22 }".\
    "END { for (at in error) print at, (low[at] > 0 ? 2 : error[at] < 0.1 ? 0 : 1), sprintf(\"%.2f\", error[at]) }".\
    "' experiments/normalisers.csv"
names = 'softmax|entmax|sparsemax|ssmax|average-hard|differential|talking-heads|linear, sum|stick-breaking, to the value|softpick|elastic|sink|softmax-one|bias-kv|sigmoid|relu|linear, no sum|stick-breaking, dropped'
name(k) = system(sprintf("echo '%s' | cut -d'|' -f%d", names, k))

set title 'gain on identical tokens: error_rel, no C'
set key outside bottom center horizontal
set xrange [-0.5:7.8]
set yrange [-0.5:17.5]
set ytics scale 0
do for [k=1:18] { set ytics add (name(k) 18 - k) }
set xtics ('none' 0, 'toeplitz' 1, 'rope' 2, 'alibi' 3, 'none' 4.3, 'toeplitz' 5.3, 'rope' 6.3, 'alibi' 7.3) scale 0
set label 'causal mask' at 1.5, -2.2 center
set label 'no mask' at 5.8, -2.2 center
set bmargin 6
set border 0
colour(v) = v == 2 ? 0xd1605e : v == 1 ? 0xc8c8c8 : 0x6aa56e
plot cells using 1:2:(0.46):(0.42):(colour($3)) with boxxyerror fillstyle solid 1 noborder linecolor rgb variable notitle, \
     '' using 1:2:4 with labels textcolor rgb '#000000' notitle, \
     NaN with boxes fillstyle solid 1 linecolor rgb '#d1605e' title 'impossible', \
     NaN with boxes fillstyle solid 1 linecolor rgb '#6aa56e' title 'reached', \
     NaN with boxes fillstyle solid 1 linecolor rgb '#c8c8c8' title 'not reached'
