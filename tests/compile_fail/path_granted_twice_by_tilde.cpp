// expect-error: path_must_be_granted_once
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
inline constexpr auto p = nono::caps().allow_path<nono::read>("~/x").allow_path<nono::write>("$HOME/x");
#else
inline constexpr auto p = nono::caps().allow_path<nono::read>("~/x").allow_path<nono::write>("$WORKDIR/x");
#endif
