// expect-error: network\(loopback\) needs a child process
#include <nono/apply.hpp>
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
void confine() { (void)nono::caps().network(nono::loopback).apply(); }
#else
void confine() { (void)nono::caps().network(nono::blocked).apply(); }
#endif
