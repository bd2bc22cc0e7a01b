"""A message going out: a plan made from requirements, carried out in bytes."""
