# The poster's bars beside ours, from the summary: gnuplot experiments/paper-figure.gnuplot
#
# Bars of the poster (Luo et al. 2022), read off its pixels within 0.005.  Ours, with the certified
# ceiling, come from paper-figure.csv; a cell that is not there yet has no bar.
set terminal svg size 1000,380 dynamic font 'sans-serif,12' background '#ffffff'
set output 'experiments/paper-figure.svg'

$poster << EOD
pi none rpe 10 .067
pi none rpe 1000 .058
pi none rpe 10000 .053
pi toeplitz rpe 10 .123
pi toeplitz rpe 1000 .105
pi toeplitz rpe 10000 .10
pi toeplitz urpe 10 1
pi toeplitz urpe 1000 1
pi toeplitz urpe 10000 1
etp none rpe 10 .50
etp none rpe 1000 .50
etp none rpe 10000 .50
etp toeplitz rpe 10 .58
etp toeplitz rpe 1000 .537
etp toeplitz rpe 10000 .52
etp toeplitz urpe 10 1
etp toeplitz urpe 1000 1
etp toeplitz urpe 10000 1
EOD

# Columns of a summary: 3 target, 4 encoding, 5 attention, 8 subset, 10 vocab, 19 axes (quoted),
# 20 figure, 22 mean.
ours(figure) = "< awk -F, -v figure=".figure." '{ gsub(/\"[^\"]*\"/, \"\") } $20 == figure && $8 == \"all\" && $5 != \"rpe-urpe\" {print $3, $4, $5, $10, $22}' experiments/paper-figure.csv"

place(v) = v == 10 ? 0 : v == 1000 ? 1 : 2
model(e, a) = a eq 'urpe' ? 2 : e eq 'none' ? 0 : 1
at(e, a, v, side) = place(v) * 8 + model(e, a) * 2.3 + side
of(t, wanted, y) = t eq wanted ? y : NaN

set style fill solid 1
set boxwidth 0.9
set yrange [0:1.1]
set xrange [-1:22.5]
set xtics ('V = 10' 2.8, 'V = 1000' 10.8, 'V = 10000' 18.8) scale 0
set ytics 0.2
set grid y linecolor '#dddddd' linetype 1
set border 3
set tics nomirror
set key outside bottom center horizontal samplen 1 Left reverse
colour(m) = m == 0 ? 0x888888 : m == 1 ? 0xd95f02 : 0x1b7fbd
pale(m) = m == 0 ? 0xdddddd : m == 1 ? 0xf7cfae : 0xb5d6ec
above(y) = y > 0.9 ? 1 : y # a number is not written across the mark of a ceiling at 1
short(y) = y > 0.99995 ? '1' : sprintf(y >= 0.1 && y < 0.999 ? '%.3f' : '%.4f', y)[2:]

set multiplot layout 1,2
do for [task in 'pi etp'] {
    set title task eq 'pi' ? 'position identification, accuracy' : 'even-token prediction, accuracy'
    plot ours('accuracy') using (at(strcol(2), strcol(3), $4, 0)):(of(strcol(1), task, $5)):(colour(model(strcol(2), strcol(3)))) \
             with boxes linecolor rgb variable notitle, \
         $poster using (at(strcol(2), strcol(3), $4, 0.95)):(of(strcol(1), task, $5)):(pale(model(strcol(2), strcol(3)))) \
             with boxes linecolor rgb variable notitle, \
         ours('accuracy') using (at(strcol(2), strcol(3), $4, 0)):(of(strcol(1), task, above($5))):(short($5)) \
             with labels offset 0,0.5 font ',9' notitle, \
         ours('accuracy_ceiling') using (at(strcol(2), strcol(3), $4, 0)):(of(strcol(1), task, $5)):(0.5) \
             with xerrorbars pointtype 0 linewidth 2 linecolor 'black' title (task eq 'etp' ? 'proven ceiling' : ''), \
         NaN with boxes linecolor rgb 0x888888 title (task eq 'pi' ? 'no encoding' : ''), \
         NaN with boxes linecolor rgb 0xd95f02 title (task eq 'pi' ? 'RPE' : ''), \
         NaN with boxes linecolor rgb 0x1b7fbd title (task eq 'pi' ? 'URPE' : ''), \
         NaN with boxes linecolor rgb 0xdddddd title (task eq 'etp' ? 'pale: the poster' : '')
}
unset multiplot
