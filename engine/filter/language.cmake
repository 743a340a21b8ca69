# Sources and tests of the language part.
list(APPEND language_sources ast.c check.c compare.c constant.c eval.c getopt.c glob.c lex.c naive.c operand.c ops.c
  parse.c pmatch.c print.c program.c regex.cc seal.c test.c transform.c types.c warn.c)

# Own small files of conditions are under tests/; samples of the shared specification are JSON.
add_unit_test(filter_parse_test tests/parse_test.c engine_filter PkgConfig::CJSON)
