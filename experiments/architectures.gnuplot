# Which Transformers tell equal tokens apart, and by what, from the summary:
# gnuplot experiments/architectures.gnuplot
set terminal svg size 860,620 font 'sans-serif,12' background '#ffffff' noenhanced
set output 'experiments/architectures.svg'
set datafile separator ','
set datafile columnheaders

ours = 'experiments/architectures.csv'
alone = 'bert vit gpt-2 gpt-oss canon urpe'
not = 't5 transformer-xl deberta-v3 bloom mpt-7b llama-2 llama-3 mistral-7b gemma-2 gemma-3 llama-4 qwen3 diff-transformer nope-gpt fox'
names = alone.' '.not
count = words(names)

# The error on equal tokens of a line about preset k with this in front, or nothing.
is(k, front, figure) = strcol('figure') eq figure && strcol('subset') eq 'identical' && strcol('target') eq 'gain' && \
    strstrt(strcol('axes'), 'model.preset='.word(names, k).' ') && strstrt(strcol('axes'), 'model.prefix='.front)
amount(k, front, figure) = is(k, front, figure) ? column('mean') : NaN

set xrange [-0.02:1.62]
set yrange [0.3:count + 0.7]
set xtics ('0' 0, '0.5' 0.5, '1' 1) nomirror
set ytics scale 0
do for [k = 1:count] { set ytics add (word(names, k) count + 1 - k) }
set xlabel 'error on equal tokens (1: no better than a constant), target gain'
set border 1
set grid x linecolor '#eeeeee' linetype 1
set key outside bottom center horizontal samplen 1 reverse Left
set label 'absolute positions' at 1.06,count - 1 textcolor '#1b7fbd'
set label 'a sink, under a causal mask' at 1.06,count - 3 textcolor '#1b7fbd'
set label 'convolutions' at 1.06,count - 4 textcolor '#1b7fbd'
set label 'C' at 1.06,count - 5 textcolor '#1b7fbd'
set label 'nothing: impossible' at 1.06,count - 12 textcolor '#d95f02'
set label 'unless a token stands' at 1.06,count - 13 textcolor '#d95f02'
set label 'in front' at 1.06,count - 14 textcolor '#d95f02'
set arrow from 1.04,count - 5.6 to 1.04,0.6 nohead linecolor '#d95f02'

plot for [k = 1:count] ours using (0):(is(k, 'none', 'floor_rel') ? count + 1 - k : NaN):(amount(k, 'none', 'floor_rel')):(0) \
         with vectors nohead linewidth 7 linecolor '#f7cfae' notitle, \
     for [k = 1:count] ours using (amount(k, 'none', 'error_rel')):(count + 1 - k) with points pointtype 7 pointsize 0.9 \
         linecolor '#d95f02' notitle, \
     for [k = 1:count] ours using (amount(k, 'bos', 'error_rel')):(count + 1 - k) with points pointtype 9 pointsize 0.9 \
         linecolor '#1b7fbd' notitle, \
     NaN with points pointtype 7 linecolor '#d95f02' title 'the model alone', \
     NaN with points pointtype 9 linecolor '#1b7fbd' title 'a token in front', \
     NaN with lines linewidth 7 linecolor '#f7cfae' title 'certified: out of reach'
