// expect-error: question_must_name_declared_variables
#include <nono/caps.hpp>
inline constexpr auto p = nono::caps().variable("$DATA").allow_path<nono::read>("$DATA");
#ifdef EXPECT_ERROR
inline constexpr bool q = p.permits<nono::read>("$DATE/x");
#else
inline constexpr bool q = p.permits<nono::read>("$DATA/x");
#endif
