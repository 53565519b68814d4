// expect-error: path_must_be_a_file_or_a_directory_not_both
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
inline constexpr auto p = nono::caps().allow_path<nono::read>("/data").allow_file<nono::write>("/data");
#else
inline constexpr auto p = nono::caps().allow_path<nono::read>("/data").allow_file<nono::write>("/data/file");
#endif
