// expect-error: variables_must_be_declared_by_both
#include <nono/caps.hpp>
inline constexpr auto p = nono::caps().variable("$DATA").allow_path<nono::read>("$DATA");
#ifdef EXPECT_ERROR
inline constexpr bool q = !p.within(nono::caps());
#else
inline constexpr bool q = !p.within(nono::caps().variable("$DATA"));
#endif
