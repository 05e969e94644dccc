# The poster's bars beside ours, from the summary: gnuplot experiments/paper-figure.gnuplot
#
# Bars of the poster (Luo et al. 2022), read off its pixels within 0.005.  Ours, with the certified
# ceiling, come from paper-figure.csv; a cell that is not there yet has no bar.
set terminal svg size 900,400 font 'sans-serif,12' background '#ffffff' noenhanced
set output 'experiments/paper-figure.svg'
set datafile separator ','
set datafile columnheaders

$poster << EOD
target,encoding,attention,vocab,mean
pi,none,rpe,10,.067
pi,none,rpe,1000,.058
pi,none,rpe,10000,.053
pi,toeplitz,rpe,10,.123
pi,toeplitz,rpe,1000,.105
pi,toeplitz,rpe,10000,.10
pi,toeplitz,urpe,10,1
pi,toeplitz,urpe,1000,1
pi,toeplitz,urpe,10000,1
etp,none,rpe,10,.50
etp,none,rpe,1000,.50
etp,none,rpe,10000,.50
etp,toeplitz,rpe,10,.58
etp,toeplitz,rpe,1000,.537
etp,toeplitz,rpe,10000,.52
etp,toeplitz,urpe,10,1
etp,toeplitz,urpe,1000,1
etp,toeplitz,urpe,10000,1
EOD
ours = '< sed s/\"\"//g experiments/paper-figure.csv' # gnuplot knows no quotes within quotes

# Of a line: where its bar is, and how high, where it is about `task`, and, of ours, about `figure` on
# all inputs.
group(attention) = attention eq 'urpe' ? 2 : strcol('encoding') eq 'none' ? 0 : 1
place(v) = (v == 10 ? 0 : v == 1000 ? 8 : 16) + group(strcol('attention')) * 2.3
of(task) = strcol('target') eq task ? column('mean') : NaN
is(figure) = strcol('figure') eq figure && strcol('subset') eq 'all' && strcol('attention') ne 'rpe-urpe'
mine(task, figure) = is(figure) ? of(task) : NaN

set style fill solid 1
set boxwidth 0.9
set yrange [0:1.1]
set xrange [-1:22.5]
set xtics ('V = 10' 2.8, 'V = 1000' 10.8, 'V = 10000' 18.8) scale 0
set ytics 0.2
set ylabel 'accuracy'
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
    set title task eq 'pi' ? 'position identification' : 'even-token prediction'
    plot ours using (place(column('vocab'))):(mine(task, 'accuracy')):(colour(group(strcol('attention')))) \
             with boxes linecolor rgb variable notitle, \
         $poster using (place(column('vocab')) + 0.95):(of(task)):(pale(group(strcol('attention')))) \
             with boxes linecolor rgb variable notitle, \
         ours using (place(column('vocab'))):(above(mine(task, 'accuracy'))):(short(column('mean'))) \
             with labels offset 0,0.7 font ',9' notitle, \
         ours using (place(column('vocab'))):(mine(task, 'accuracy_ceiling')):(0.5) \
             with xerrorbars pointtype 0 linewidth 2 linecolor 'black' title (task eq 'etp' ? 'proven ceiling' : ''), \
         NaN with boxes linecolor rgb 0x888888 title (task eq 'pi' ? 'no encoding' : ''), \
         NaN with boxes linecolor rgb 0xd95f02 title (task eq 'pi' ? 'RPE' : ''), \
         NaN with boxes linecolor rgb 0x1b7fbd title (task eq 'pi' ? 'URPE' : ''), \
         NaN with boxes linecolor rgb 0xdddddd title (task eq 'etp' ? 'pale: the poster' : '')
}
unset multiplot
