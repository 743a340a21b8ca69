# Sources and tests of the language part.
list(APPEND language_sources ast.c batch.c check.c compare.c constant.c emit.c eval.c explain.c getopt.c glob.c lex.c naive.c operand.c ops.c
  parse.c plan.c pmatch.c print.c program.c regex.cc screen.c seal.c test.c transform.c types.c warn.c)

add_unit_test(filter_parse_test tests/parse_test.c engine_filter PkgConfig::CJSON)
add_unit_test(filter_operators_test tests/operators_test.c engine_filter)
add_unit_test(filter_types_test tests/types_test.c engine_filter)
add_unit_test(filter_eval_test tests/eval_test.c engine_filter)
add_unit_test(filter_explain_test tests/explain_test.c engine_filter)
add_unit_test(filter_sieve_test tests/sieve_test.c engine_filter)
add_unit_test(filter_alloc_test tests/alloc_test.c engine_filter alloc_wrap)
