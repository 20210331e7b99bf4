"""`keras.ops`: everything numeric above the engine is written with these functions. They run eagerly, under a tape, in
a traced program, and on symbolic tensors."""
