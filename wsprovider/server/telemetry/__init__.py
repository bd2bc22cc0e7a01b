"""What a deployment tells of itself: numbers of all its workers, times of a request's stages, spans, its clock."""
