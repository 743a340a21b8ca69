# embed_text(FILE OUT): the bytes of FILE and a NUL as initialisers of a C array.
function(embed_text file out)
  file(READ ${file} hex HEX)
  string(REGEX REPLACE "(................................)" "\\1\n" hex "${hex}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," hex "${hex}")
  set(${out} "${hex}0x00" PARENT_SCOPE)
endfunction()
