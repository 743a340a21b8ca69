# Sources and tests of the language part.
list(APPEND language_sources ast.c lex.c ops.c parse.c print.c transform.c types.c)
