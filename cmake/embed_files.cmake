# cmake -DFILES=A;B -DHEADER=H -DOUT=FILE -P embed_files.cmake: texts as C. "style.css" becomes the array embedded_style_css and
# its length embedded_style_css_length, which header H declares.
include(${CMAKE_CURRENT_LIST_DIR}/embed_text.cmake)

set(arrays "")
foreach(file ${FILES})
  get_filename_component(name ${file} NAME)
  string(MAKE_C_IDENTIFIER "embedded_${name}" symbol)
  embed_text(${file} text)
  string(APPEND arrays "\nconst char ${symbol}[] = {\n${text}};\nconst size_t ${symbol}_length = sizeof(${symbol}) - 1;\n")
endforeach()
file(WRITE ${OUT}.new "/* Made by cmake/embed_files.cmake. */\n#include \"${HEADER}\"\n${arrays}")
execute_process(COMMAND ${CMAKE_COMMAND} -E copy_if_different ${OUT}.new ${OUT})
file(REMOVE ${OUT}.new)
