# What each encoding can, by family of targets, from atlas.csv and atlas-trained.csv: gnuplot experiments/atlas.gnuplot
# Colours: Okabe and Ito's, which colour-blind readers tell apart, and a sign for each.
set terminal svg size 1480,700 font 'sans-serif,13' background '#ffffff' noenhanced
set encoding utf8
set output 'experiments/atlas.svg'

cells = '< python3 experiments/atlas.py cells experiments/atlas.csv experiments/atlas-trained.csv'
encodings = 'none alibi kerple-log kerple-power sandwich fire toeplitz t5 transformer-xl deberta rope xpos shaw cope fox tupe learned sinusoidal'
families = 'position mixing look-behind counting selection controls'
panels = 'alone sink C alone sink C BOS'
y(k) = -(k - 1 + (k > 1 ? 0.3 : 0) + (k > 6 ? 0.3 : 0) + (k > 13 ? 0.3 : 0))

set xrange [-6.9:45.2]
set yrange [-22:4.9]
set border 0
unset xtics
unset ytics
set lmargin 0
set rmargin 0
set tmargin 0
set bmargin 0
unset key
do for [k = 1:18] { set label word(encodings, k) at -0.8, y(k) right }
do for [p = 0:6] { do for [f = 1:6] { set label word(families, f) at p * 6.5 + f - 1, 0.7 left rotate by 60 font 'sans-serif,11' } }
do for [p = 0:6] { set label word(panels, p + 1) at p * 6.5 + 2.5, 3.55 center font 'sans-serif,14' }
set label 'no mask' at 9, 4.5 center font 'sans-serif,15'
set label 'causal mask' at 31.75, 4.5 center font 'sans-serif,15'
set label 'knows' at -6.75, 0.75 left font 'sans-serif,11' textcolor '#666666'
do for [g = 1:4] { set label word('nothing distances offsets places', g) at -6.75, y(word('1 4 10 16', g) + 0) left font 'sans-serif,11' textcolor '#666666' }

# The key, a box and a sentence each.
box(k) = -5.5 + k * 8.6
colours = '0xd55e00 0xf3b48a 0xe69f00 0x0072b2 0x9ad1f2 0xcccccc'
signs = '× 1/3 ▽ ◆ _ ?'
says = 'impossible|of three targets one is|too shallow: 2 layers|explicit weights known|possible|open'
saying(k) = system(sprintf("echo '%s' | cut -d'|' -f%d", says, k))
do for [k = 1:6] {
    set object k rectangle center box(k - 1), -20.3 size 0.92, 0.9 fillcolor rgb int(word(colours, k)) fillstyle solid 1 noborder
    set label (word(signs, k) eq '_' ? '' : word(signs, k)) at box(k - 1), -20.3 center textcolor rgb (k == 1 || k == 4 ? '#ffffff' : '#000000') font 'sans-serif,12' front
    set label saying(k) at box(k - 1) + 0.8, -20.3 left font 'sans-serif,12'
}
trained = system('test ! -e experiments/atlas-trained.csv; echo $?') + 0
if (trained) set label '● trained: reached by all seeds    ○ trained: not learned by some' at box(0) - 0.4, -21.4 left font 'sans-serif,12'
set label 'Worst of five kinds of inputs. Under a causal mask, without the targets that look ahead.' at 44.6, -21.4 right font 'sans-serif,12'
set arrow from -0.5, 4.1 to 18.5, 4.1 nohead linecolor '#888888'
set arrow from 19, 4.1 to 44.5, 4.1 nohead linecolor '#888888'

plot cells using 1:2:(0.46):(0.45):3 with boxxyerror fillstyle solid 1 noborder linecolor rgb variable, \
     '' using 1:2:4:5 with labels textcolor rgb variable font 'sans-serif,12'
