// expect-error: denies<\.\.\.> asks for nothing
#include <nono/caps.hpp>
inline constexpr auto p = nono::caps().variable("$DATA").allow_path<nono::read>("$DATA");
#ifdef EXPECT_ERROR
auto q = p.denies<nono::no_rights>("$DATA/x");
#else
auto q = p.denies<nono::write>("$DATA/x");
#endif
