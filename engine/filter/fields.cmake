# Sources and tests of the field part.
list(APPEND field_sources
  bytes_text.c column.c field_container.c field_evt.c field_evt_arg.c field_evt_io.c field_fd.c field_fd_net.c
  field_fdlist.c field_fspath.c field_misc.c field_proc.c field_proc_stat.c field_proc_tree.c
  field_sched.c field_syslog.c field_table.c field_time.c field_user.c format.c names.c net_text.c
  param_text.c suggest.c time.c value.c)

add_unit_test(filter_param_text_test tests/param_text_test.c engine_filter engine_state_world)
add_unit_test(filter_param_types_test tests/param_types_test.c engine_filter engine_state_world)
add_unit_test(filter_flags_test tests/flags_test.c engine_filter engine_state_world)
add_unit_test(filter_names_test tests/names_test.c engine_filter engine_state_world)
add_unit_test(filter_samples_test tests/samples_test.c engine_filter engine_state_world)
add_unit_test(filter_format_test tests/format_test.c engine_filter engine_state_world)
add_unit_test(filter_fields_test tests/fields_test.c engine_filter)
add_unit_test(filter_field_values_test tests/field_values_test.c engine_filter engine_state_world)
add_unit_test(filter_hostile_fields_test tests/hostile_fields_test.c engine_filter engine_state_world)
