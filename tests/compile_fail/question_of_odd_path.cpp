// expect-error: question_must_name_a_plain_path
#include <nono/caps.hpp>
inline constexpr auto p = nono::caps().variable("$DATA").allow_path<nono::read>("$DATA");
#ifdef EXPECT_ERROR
inline constexpr bool q = nono::permits(p, "$DATA/../x", nono::read) || true;
#else
inline constexpr bool q = nono::permits(p, "$DATA/x", nono::read) || true;
#endif
