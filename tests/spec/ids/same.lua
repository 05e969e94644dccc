return function(x, n, d) return x end
