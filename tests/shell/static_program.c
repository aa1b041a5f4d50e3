/* Built statically: a program into which no hook can be loaded. */
int main(void) { return 0; }
