"""How good predictions and lists are, on ratings that training never saw."""
