# SPDX-License-Identifier: Apache-2.0
"""gen.py RECIPES EVENTS EVENT_PARAMS FLAGS SYSCALLS OUT: the parameter code of the BPF programs.

Each parameter of RECIPES must stand in the order, number and name of EVENT_PARAMS; the type there
decides how many bytes are stored and whether the event is of fixed size."""
import re, sys

WIDTH = {'PT_INT8': 1, 'PT_UINT8': 1, 'PT_FLAGS8': 1, 'PT_ENUMFLAGS8': 1, 'PT_SIGTYPE': 1, 'PT_L4PROTO': 1,
         'PT_SOCKFAMILY': 1, 'PT_INT16': 2, 'PT_UINT16': 2, 'PT_FLAGS16': 2, 'PT_ENUMFLAGS16': 2,
         'PT_SYSCALLID': 2, 'PT_PORT': 2, 'PT_INT32': 4, 'PT_UINT32': 4, 'PT_FLAGS32': 4,
         'PT_ENUMFLAGS32': 4, 'PT_MODE': 4, 'PT_UID': 4, 'PT_GID': 4, 'PT_BOOL': 4, 'PT_SIGSET': 4,
         'PT_INT64': 8, 'PT_UINT64': 8, 'PT_ERRNO': 8, 'PT_FD': 8, 'PT_PID': 8, 'PT_RELTIME': 8,
         'PT_ABSTIME': 8, 'PT_DOUBLE': 8}
HEADER = 26


def rows(path):
    for line in open(path):
        if not line.startswith('#'):
            yield line.rstrip('\n').split('\t')


def main(recipes, events, params, flags, syscalls, out):
    ids, schema = {}, {}
    for r in list(rows(events))[1:]:
        if 'OLD_VERSION' not in r[5] and (r[3] == 'X' or r[2] not in ids):
            ids[r[2]] = int(r[0])
    for r in list(rows(params))[1:]:
        schema.setdefault(int(r[0]), []).append((r[2], r[3]))
    numbers = {r[1]: r[2] for r in list(rows(syscalls))[1:]}
    progs = {}
    for event, prog, cond, name, code in rows(recipes):
        progs.setdefault(prog, dict(event=event, cond=cond, rows=[]))['rows'].append((name, code))
    o = open(out, 'w')
    o.write('/* Generated from recipes.tsv and flag-mappings.tsv; do not edit. */\n')
    used = set(re.findall(r'map_(\w+)\(', open(recipes).read())) | {'open_mode'}
    for f in sorted(used):
        emit_mapper(o, f, [r for r in rows(flags) if r[0] == f])
    table = []
    for prog, p in progs.items():
        emit_program(o, prog, p, ids[p['event']], schema[ids[p['event']]])
        if not prog.startswith('@'):
            table.append('EXIT(%s, %s)\n' % (numbers[prog], prog))
    o.write('\n/* Filled after load: initial values would force every program to be loaded. */\nstruct {\n'
            '\t__uint(type, BPF_MAP_TYPE_PROG_ARRAY);\n\t__uint(max_entries, WIRE_SYSCALLS);\n'
            '\t__type(key, u32);\n\t__type(value, u32);\n} exits SEC(".maps");\n')
    with open(out.replace('programs.h', 'exits.def'), 'w') as d:
        d.write(''.join(table))


def emit_mapper(o, family, rs):
    o.write('\nstatic __always_inline u32 map_%s(u32 v)\n{\n\tu32 m = 0;\n\n' % family)
    eq = [r for r in rs if r[5] == 'equals']
    low = 'v & 3' if family == 'open_flags' else 'v'
    for i, r in enumerate(eq):
        o.write('\t%sif ((%s) == %su)\n\t\tm = %su;\n' % ('else ' if i else '', low, r[2], r[4]))
    for r in rs:
        if r[5] == 'otherwise':
            o.write('\telse\n\t\tm = %su;\n' % r[4])
    for r in rs:
        if r[5] == 'bitmask-any' and r[2].isdigit() and ' ' not in r[1]:
            o.write('\tif (v & %su)\n\t\tm |= %su;\n' % (r[2], r[4]))
    o.write('\treturn m;\n}\n')


def emit_program(o, prog, p, event_id, types):
    lets = [c for n, c in p['rows'] if n == 'let']
    rs = [r for r in p['rows'] if r[0] != 'let']
    if [n for n, _ in rs] != [n for n, _ in types]:
        sys.exit('%s: parameters %s, but the schema has %s' % (prog, [n for n, _ in rs], [n for n, _ in types]))
    fixed = all(t in WIDTH for _, t in types)
    head = {'@exec': ('tp_btf/sched_process_exec', 'on_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm'),
            '@exit': ('tp_btf/sched_process_exit', 'on_exit, struct task_struct *task')}.get(
                prog, ('tp_btf/sys_exit', 'exit_%s, struct pt_regs *regs, long ret' % prog))
    arg = lambda c: re.sub(r'\barg([0-5])\b', r'a.v[\1]', c)
    n = len(rs)
    o.write('\nSEC("%s")\nint BPF_PROG(%s)\n{\n' % head)
    if not prog.startswith('@'):
        o.write('\tstruct task_struct *task = bpf_get_current_task_btf();\n\tstruct args a = read_args(task, regs);\n')
    else:
        o.write('\tif (skip_task(task, %d))\n\t\treturn 0;\n' % event_id)
    if p['cond'] != '-':
        o.write('\tif (!(%s))\n\t\treturn 0;\n' % p['cond'])
    for c in lets:
        o.write('\t%s;\n' % arg(c))
    if fixed:
        total = HEADER + 2 * n + sum(WIDTH[t] for _, t in types)
        o.write('\tstruct slot slot;\n\tu8 *e = reserve(&slot, %d, %d, %d);\n\n\tif (!e)\n\t\treturn 0;\n' % (total, event_id, n))
        off = HEADER + 2 * n
        for i, ((name, code), (_, t)) in enumerate(zip(rs, types)):
            w = WIDTH[t]
            o.write('\tSTORE(u16, e + %d, %d);\n\tSTORE(u%d, e + %d, %s); /* %s */\n' % (HEADER + 2 * i, w, 8 * w, off, arg(code), name))
            off += w
        o.write('\tsubmit(&slot, e, %d);\n\treturn 0;\n}\n' % total)
        return
    o.write('\tstruct scratch *s = scratch_begin(%d, %d);\n\n\tif (!s)\n\t\treturn 0;\n' % (event_id, n))
    off, known = HEADER + 2 * n, True
    for i, ((name, code), (_, t)) in enumerate(zip(rs, types)):
        if t in WIDTH:
            w = WIDTH[t]
            if known:
                o.write('\tSTORE(u%d, s->data + %d, %s); /* %s */\n\tSTORE(u16, s->data + %d, %d);\n' % (8 * w, off, arg(code), name, HEADER + 2 * i, w))
                off += w
            else:
                o.write('\tput_num(u%d, s, %d, %s); /* %s */\n' % (8 * w, i, arg(code), name))
            continue
        if known:
            o.write('\ts->pos = %d;\n' % off)
            known = False
        call = arg(code).replace('(', '(s, %d, ' % i, 1).replace(', )', ')')
        o.write('\tput_%s;\n' % call)
    o.write('\tscratch_commit(s, %d);\n\treturn 0;\n}\n' % event_id)


if __name__ == '__main__':
    main(*sys.argv[1:])
