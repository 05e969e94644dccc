# Error and steepness against how far tokens are from equal: gnuplot experiments/near-identical.gnuplot
# The summary has a row per radius (in its axes) and figure.
set terminal svg size 900,360 font 'sans-serif,12' background '#ffffff' noenhanced
set output 'experiments/near-identical.svg'
set datafile separator ','
set datafile columnheaders
file = 'experiments/near-identical.csv'

at(axes) = (i = strstrt(axes, 'near.radius='), i ? real(substr(axes, i + 12, i + 18)) : NaN)
near(figure) = strcol('figure') eq figure && strcol('subset') eq 'near' && strcol('norm') eq 'pre' ? at(strcol('axes')) : NaN

set logscale xy
set xrange [0.9:0.003]
set xtics ('0.5' 0.5, '0.2' 0.2, '0.1' 0.1, '0.05' 0.05, '0.02' 0.02, '0.004' 0.004)
set xlabel 'radius: how far tokens are from one token, at most'
set border 3
set tics nomirror
set grid y linecolor '#dddddd' linetype 1
set style data yerrorbars
set pointsize 0.8

set multiplot layout 1,2
set title 'error_rel of RPE alone on near inputs (floor 0)'
set yrange [0.01:2]
set format y '%g'
set arrow from 0.9,1 to 0.003,1 nohead dashtype 2 linecolor '#d55e00'
set label 'radius 0: impossible, floor 1' at 0.8,1.3 textcolor '#d55e00'
set key bottom right
plot file using (near('error_rel')):(column('mean')):(column('least')):(column('greatest')) \
    linecolor '#0072b2' pointtype 7 title 'trained: mean and range of 4 seeds'
unset arrow
unset label
set title 'steepness: output per change of a token'
set yrange [1:1000]
set key left top
plot file using (near('lipschitz_found')):(column('mean')):(column('least')):(column('greatest')) \
    linecolor '#0072b2' pointtype 7 title 'found in the trained networks', \
    file using (near('lipschitz_floor')):(column('mean') > 0 ? column('mean') : NaN):(column('least')):(column('greatest')) \
    linecolor '#d55e00' pointtype 5 title 'certified at their error', \
    5. / 12 / x with lines linecolor '#d55e00' dashtype 2 title '5/12 over the radius'
unset multiplot
