// expect-error: variable_name_must_be_dollar_and_word
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
auto p = nono::caps().variable("DATA");
#else
auto p = nono::caps().variable("$DATA");
#endif
