// expect-error: path_must_not_exceed_4095_bytes
#include <nono/caps.hpp>
#define TIMES_4(x) x x x x
#define BYTES_64 "/123456789abcdef/123456789abcdef/123456789abcdef/123456789abcdef"
#define BYTES_1024 TIMES_4(TIMES_4(BYTES_64))
#ifdef EXPECT_ERROR
auto p = nono::caps().deny_path(BYTES_1024 BYTES_1024 BYTES_1024 BYTES_1024);
#else
auto p = nono::caps().deny_path(BYTES_1024 BYTES_1024 BYTES_1024);
#endif
