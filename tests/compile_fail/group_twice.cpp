// expect-error: group_must_be_given_once
#include <nono/caps.hpp>
#include <nono/groups.hpp>
#ifdef EXPECT_ERROR
inline constexpr auto p = nono::caps().group(nono::groups::git_config).group(nono::groups::git_config);
#else
inline constexpr auto p = nono::caps().group(nono::groups::git_config).group(nono::groups::go_runtime);
#endif
