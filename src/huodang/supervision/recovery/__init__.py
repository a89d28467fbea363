"""Recovery (追回): overpaid months to the last fen, by the book."""
