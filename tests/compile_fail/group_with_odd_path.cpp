// expect-error: group_has_a_path_that_is_not_plain
#include <nono/caps.hpp>
inline constexpr nono::group_rule tool_rules[] = {{"/opt/tool", nono::read}};
inline constexpr nono::group_rule odd_rules[] = {{"/opt/../tool", nono::read}};
inline constexpr nono::group tool{.name = "tool", .description = "", .rules = tool_rules};
inline constexpr nono::group odd{.name = "odd", .description = "", .rules = odd_rules};
#ifdef EXPECT_ERROR
inline constexpr auto p = nono::caps().group(odd);
#else
inline constexpr auto p = nono::caps().group(tool);
#endif
