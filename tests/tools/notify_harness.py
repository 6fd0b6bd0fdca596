#!/usr/bin/env python3
# fake systemd: NOTIFY_SOCKET + WATCHDOG_USEC + LISTEN_FDS + CREDENTIALS_DIRECTORY; prints every datagram with SCM_CREDENTIALS pid and time
import os,socket,sys,time,struct,select,signal,array
path=os.environ.get('NOTIFY_HARNESS_SOCKET','/tmp/notify-harness.sock'); actport=int(os.environ.get('NOTIFY_HARNESS_PORT','18570'))
try: os.unlink(path)
except FileNotFoundError: pass
s=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM); s.setsockopt(socket.SOL_SOCKET,socket.SO_PASSCRED,1); s.bind(path)
run=float(sys.argv[1]); wd=sys.argv[2]; acts=sys.argv[3].split(',') if sys.argv[3] else []; cmd=sys.argv[4:]
env=dict(os.environ,NOTIFY_SOCKET=path)
ls=[]
if 'listen' in acts:
    a=socket.socket(); a.setsockopt(socket.SOL_SOCKET,socket.SO_REUSEADDR,1); a.bind(('127.0.0.1',actport)); a.listen(64)
    b=socket.socket(socket.AF_UNIX); p=path+'.act'
    try: os.unlink(p)
    except FileNotFoundError: pass
    b.bind(p); b.listen(64); ls=[a,b]
t0=time.monotonic(); pid=os.fork()
if pid==0:
    if wd!='0': env['WATCHDOG_USEC']=wd; env['WATCHDOG_PID']=str(os.getpid())
    if ls:
        fds=[os.dup(x.fileno()) for x in ls]
        fds=[__import__('fcntl').fcntl(f,__import__('fcntl').F_DUPFD,50) for f in fds]
        for i,f in enumerate(fds): os.dup2(f,3+i); os.set_inheritable(3+i,True)
        env.update(LISTEN_FDS=str(len(fds)),LISTEN_PID=str(os.getpid()),LISTEN_FDNAMES='http:admin')
    os.execvpe(cmd[0],cmd,env)
sched=[(float(a.split('@')[1]),a.split('@')[0]) for a in acts if '@' in a]; end=t0+run; status=None
while True:
    n=time.monotonic()
    if sched and n-t0>=sched[0][0]:
        _,a=sched.pop(0); print(f"[{n-t0:7.3f}] >>> {a}",flush=True)
        if a.startswith('SIG'): os.kill(pid,getattr(signal,a))
        else: os.system(a.replace('+',' '))
        continue
    if n>=end and status is None and 'killed' not in acts: os.kill(pid,signal.SIGTERM); acts.append('killed'); print(f"[{n-t0:7.3f}] >>> SIGTERM",flush=True)
    r,_,_=select.select([s],[],[],0.02)
    if r:
        m,anc,fl,_=s.recvmsg(4096,socket.CMSG_SPACE(12)+socket.CMSG_SPACE(40)); cp=None; fds=0
        for l,t,d in anc:
            if t==2: cp=struct.unpack('iii',d[:12])[0]
            if t==1: fds=len(d)//4
        print(f"[{time.monotonic()-t0:7.3f}] pid={'main' if cp==pid else cp} fds={fds} {m.decode()!r}",flush=True)
    p,st=os.waitpid(pid,os.WNOHANG)
    if p: print(f"[{time.monotonic()-t0:7.3f}] exit status {os.waitstatus_to_exitcode(st)}"); break
