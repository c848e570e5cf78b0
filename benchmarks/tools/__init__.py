"""The contenders: each brings the same hosts to the same role in its own way."""
