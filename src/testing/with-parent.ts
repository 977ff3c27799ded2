/** `setpriv` and these, before a program: it ends with the test that started it, whatever ends that. What a killed test left behind took the machine from all others. */
export const WITH_PARENT = ['--pdeathsig', 'KILL', '--'] as const;
