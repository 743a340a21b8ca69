-- A case of the first version with two runs over tests/captures/network.scap, as that program wrote it.
PRAGMA application_id = 1399025772;
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE alerts (
  alert_id       INTEGER PRIMARY KEY,
  run_capture_id INTEGER NOT NULL REFERENCES run_captures,
  seq            INTEGER NOT NULL, -- 1 is the first alert of the reading
  rule_id        INTEGER NOT NULL REFERENCES rules,
  ts             INTEGER NOT NULL,
  evt_num        INTEGER NOT NULL,
  evt_offset     INTEGER NOT NULL,
  tid            INTEGER,
  pid            INTEGER,
  process_id     INTEGER REFERENCES processes, -- NULL: not known
  priority       INTEGER NOT NULL REFERENCES priorities,
  source         TEXT,
  output         TEXT,
  output_fields  TEXT, -- JSON object
  UNIQUE (run_capture_id, seq)
) STRICT;
INSERT INTO "alerts" VALUES(1,1,1,1,1795316552367366647,161,16912,14431,14431,4294967297,4,'syscall','bash  container_id=d9394466e03a container_name=<NA> container_image_repository=<NA> container_image_tag=<NA> k8s_pod_name=<NA> k8s_ns_name=<NA>','{"container.id":"d9394466e03a","container.image.repository":null,"container.image.tag":null,"container.name":null,"evt.time":1795316552367366647,"fd.name":"","k8s.ns.name":null,"k8s.pod.name":null,"proc.name":"bash"}');
INSERT INTO "alerts" VALUES(2,1,2,1,1795316552367382521,164,17136,14431,14431,4294967297,4,'syscall','bash  container_id=d9394466e03a container_name=<NA> container_image_repository=<NA> container_image_tag=<NA> k8s_pod_name=<NA> k8s_ns_name=<NA>','{"container.id":"d9394466e03a","container.image.repository":null,"container.image.tag":null,"container.name":null,"evt.time":1795316552367382521,"fd.name":"","k8s.ns.name":null,"k8s.pod.name":null,"proc.name":"bash"}');
INSERT INTO "alerts" VALUES(3,1,3,1,1795316552405140692,1182,105428,14432,14432,4294967298,4,'syscall','python3 127.0.0.1:47496->127.0.0.1:45553 container_id=d9394466e03a container_name=<NA> container_image_repository=<NA> container_image_tag=<NA> k8s_pod_name=<NA> k8s_ns_name=<NA>','{"container.id":"d9394466e03a","container.image.repository":null,"container.image.tag":null,"container.name":null,"evt.time":1795316552405140692,"fd.name":"127.0.0.1:47496->127.0.0.1:45553","k8s.ns.name":null,"k8s.pod.name":null,"proc.name":"python3"}');
INSERT INTO "alerts" VALUES(4,1,4,1,1795316552405675407,1212,107908,14432,14432,4294967298,4,'syscall','python3 127.0.0.1:47504->127.0.0.1:45553 container_id=d9394466e03a container_name=<NA> container_image_repository=<NA> container_image_tag=<NA> k8s_pod_name=<NA> k8s_ns_name=<NA>','{"container.id":"d9394466e03a","container.image.repository":null,"container.image.tag":null,"container.name":null,"evt.time":1795316552405675407,"fd.name":"127.0.0.1:47504->127.0.0.1:45553","k8s.ns.name":null,"k8s.pod.name":null,"proc.name":"python3"}');
INSERT INTO "alerts" VALUES(5,1,5,1,1795316552406091616,1233,109672,14432,14432,4294967298,4,'syscall','python3 127.0.0.1:47514->127.0.0.1:45553 container_id=d9394466e03a container_name=<NA> container_image_repository=<NA> container_image_tag=<NA> k8s_pod_name=<NA> k8s_ns_name=<NA>','{"container.id":"d9394466e03a","container.image.repository":null,"container.image.tag":null,"container.name":null,"evt.time":1795316552406091616,"fd.name":"127.0.0.1:47514->127.0.0.1:45553","k8s.ns.name":null,"k8s.pod.name":null,"proc.name":"python3"}');
INSERT INTO "alerts" VALUES(6,1,6,1,1795316552406408406,1254,111436,14432,14432,4294967298,4,'syscall','python3 127.0.0.1:47520->127.0.0.1:45553 container_id=d9394466e03a container_name=<NA> container_image_repository=<NA> container_image_tag=<NA> k8s_pod_name=<NA> k8s_ns_name=<NA>','{"container.id":"d9394466e03a","container.image.repository":null,"container.image.tag":null,"container.name":null,"evt.time":1795316552406408406,"fd.name":"127.0.0.1:47520->127.0.0.1:45553","k8s.ns.name":null,"k8s.pod.name":null,"proc.name":"python3"}');
INSERT INTO "alerts" VALUES(7,1,7,1,1795316552406626641,1276,113320,14432,14432,4294967298,4,'syscall','python3 127.0.0.1:47524->127.0.0.1:45553 container_id=d9394466e03a container_name=<NA> container_image_repository=<NA> container_image_tag=<NA> k8s_pod_name=<NA> k8s_ns_name=<NA>','{"container.id":"d9394466e03a","container.image.repository":null,"container.image.tag":null,"container.name":null,"evt.time":1795316552406626641,"fd.name":"127.0.0.1:47524->127.0.0.1:45553","k8s.ns.name":null,"k8s.pod.name":null,"proc.name":"python3"}');
INSERT INTO "alerts" VALUES(8,1,8,1,1795316552407857960,1331,117880,14432,14432,4294967298,4,'syscall','python3 ::1:56208->::1:45329 container_id=d9394466e03a container_name=<NA> container_image_repository=<NA> container_image_tag=<NA> k8s_pod_name=<NA> k8s_ns_name=<NA>','{"container.id":"d9394466e03a","container.image.repository":null,"container.image.tag":null,"container.name":null,"evt.time":1795316552407857960,"fd.name":"::1:56208->::1:45329","k8s.ns.name":null,"k8s.pod.name":null,"proc.name":"python3"}');
INSERT INTO "alerts" VALUES(9,1,9,1,1795316552408463881,1354,119976,14432,14432,4294967298,4,'syscall','python3 ::1:56224->::1:45329 container_id=d9394466e03a container_name=<NA> container_image_repository=<NA> container_image_tag=<NA> k8s_pod_name=<NA> k8s_ns_name=<NA>','{"container.id":"d9394466e03a","container.image.repository":null,"container.image.tag":null,"container.name":null,"evt.time":1795316552408463881,"fd.name":"::1:56224->::1:45329","k8s.ns.name":null,"k8s.pod.name":null,"proc.name":"python3"}');
INSERT INTO "alerts" VALUES(10,1,10,1,1795316552408757537,1376,122008,14432,14432,4294967298,4,'syscall','python3 ::1:56236->::1:45329 container_id=d9394466e03a container_name=<NA> container_image_repository=<NA> container_image_tag=<NA> k8s_pod_name=<NA> k8s_ns_name=<NA>','{"container.id":"d9394466e03a","container.image.repository":null,"container.image.tag":null,"container.name":null,"evt.time":1795316552408757537,"fd.name":"::1:56236->::1:45329","k8s.ns.name":null,"k8s.pod.name":null,"proc.name":"python3"}');
INSERT INTO "alerts" VALUES(11,1,11,1,1795316552409016923,1398,124016,14432,14432,4294967298,4,'syscall','python3 ::1:56238->::1:45329 container_id=d9394466e03a container_name=<NA> container_image_repository=<NA> container_image_tag=<NA> k8s_pod_name=<NA> k8s_ns_name=<NA>','{"container.id":"d9394466e03a","container.image.repository":null,"container.image.tag":null,"container.name":null,"evt.time":1795316552409016923,"fd.name":"::1:56238->::1:45329","k8s.ns.name":null,"k8s.pod.name":null,"proc.name":"python3"}');
INSERT INTO "alerts" VALUES(12,1,12,1,1795316552409227776,1420,126024,14432,14432,4294967298,4,'syscall','python3 ::1:56248->::1:45329 container_id=d9394466e03a container_name=<NA> container_image_repository=<NA> container_image_tag=<NA> k8s_pod_name=<NA> k8s_ns_name=<NA>','{"container.id":"d9394466e03a","container.image.repository":null,"container.image.tag":null,"container.name":null,"evt.time":1795316552409227776,"fd.name":"::1:56248->::1:45329","k8s.ns.name":null,"k8s.pod.name":null,"proc.name":"python3"}');
INSERT INTO "alerts" VALUES(13,1,13,1,1795316552410467348,1474,130384,14432,14432,4294967298,4,'syscall','python3 127.0.0.1:42975->127.0.0.1:47556 container_id=d9394466e03a container_name=<NA> container_image_repository=<NA> container_image_tag=<NA> k8s_pod_name=<NA> k8s_ns_name=<NA>','{"container.id":"d9394466e03a","container.image.repository":null,"container.image.tag":null,"container.name":null,"evt.time":1795316552410467348,"fd.name":"127.0.0.1:42975->127.0.0.1:47556","k8s.ns.name":null,"k8s.pod.name":null,"proc.name":"python3"}');
INSERT INTO "alerts" VALUES(14,1,14,1,1795316552411116413,1491,131576,14432,14432,4294967298,4,'syscall','python3 ffff888120804d80->ffff888120806880 /tmp/tmp0lyf_i_f/s container_id=d9394466e03a container_name=<NA> container_image_repository=<NA> container_image_tag=<NA> k8s_pod_name=<NA> k8s_ns_name=<NA>','{"container.id":"d9394466e03a","container.image.repository":null,"container.image.tag":null,"container.name":null,"evt.time":1795316552411116413,"fd.name":"ffff888120804d80->ffff888120806880 /tmp/tmp0lyf_i_f/s","k8s.ns.name":null,"k8s.pod.name":null,"proc.name":"python3"}');
INSERT INTO "alerts" VALUES(15,1,15,1,1795316552411410079,1512,133284,14432,14432,4294967298,4,'syscall','python3 127.0.0.1:47446->127.0.0.1:1 container_id=d9394466e03a container_name=<NA> container_image_repository=<NA> container_image_tag=<NA> k8s_pod_name=<NA> k8s_ns_name=<NA>','{"container.id":"d9394466e03a","container.image.repository":null,"container.image.tag":null,"container.name":null,"evt.time":1795316552411410079,"fd.name":"127.0.0.1:47446->127.0.0.1:1","k8s.ns.name":null,"k8s.pod.name":null,"proc.name":"python3"}');
INSERT INTO "alerts" VALUES(16,2,1,1,1795316552367366647,161,16912,14431,14431,8589934593,4,'syscall','bash  container_id=d9394466e03a container_name=<NA> container_image_repository=<NA> container_image_tag=<NA> k8s_pod_name=<NA> k8s_ns_name=<NA>','{"container.id":"d9394466e03a","container.image.repository":null,"container.image.tag":null,"container.name":null,"evt.time":1795316552367366647,"fd.name":"","k8s.ns.name":null,"k8s.pod.name":null,"proc.name":"bash"}');
INSERT INTO "alerts" VALUES(17,2,2,1,1795316552367382521,164,17136,14431,14431,8589934593,4,'syscall','bash  container_id=d9394466e03a container_name=<NA> container_image_repository=<NA> container_image_tag=<NA> k8s_pod_name=<NA> k8s_ns_name=<NA>','{"container.id":"d9394466e03a","container.image.repository":null,"container.image.tag":null,"container.name":null,"evt.time":1795316552367382521,"fd.name":"","k8s.ns.name":null,"k8s.pod.name":null,"proc.name":"bash"}');
INSERT INTO "alerts" VALUES(18,2,3,1,1795316552405140692,1182,105428,14432,14432,8589934594,4,'syscall','python3 127.0.0.1:47496->127.0.0.1:45553 container_id=d9394466e03a container_name=<NA> container_image_repository=<NA> container_image_tag=<NA> k8s_pod_name=<NA> k8s_ns_name=<NA>','{"container.id":"d9394466e03a","container.image.repository":null,"container.image.tag":null,"container.name":null,"evt.time":1795316552405140692,"fd.name":"127.0.0.1:47496->127.0.0.1:45553","k8s.ns.name":null,"k8s.pod.name":null,"proc.name":"python3"}');
INSERT INTO "alerts" VALUES(19,2,4,1,1795316552405675407,1212,107908,14432,14432,8589934594,4,'syscall','python3 127.0.0.1:47504->127.0.0.1:45553 container_id=d9394466e03a container_name=<NA> container_image_repository=<NA> container_image_tag=<NA> k8s_pod_name=<NA> k8s_ns_name=<NA>','{"container.id":"d9394466e03a","container.image.repository":null,"container.image.tag":null,"container.name":null,"evt.time":1795316552405675407,"fd.name":"127.0.0.1:47504->127.0.0.1:45553","k8s.ns.name":null,"k8s.pod.name":null,"proc.name":"python3"}');
INSERT INTO "alerts" VALUES(20,2,5,1,1795316552406091616,1233,109672,14432,14432,8589934594,4,'syscall','python3 127.0.0.1:47514->127.0.0.1:45553 container_id=d9394466e03a container_name=<NA> container_image_repository=<NA> container_image_tag=<NA> k8s_pod_name=<NA> k8s_ns_name=<NA>','{"container.id":"d9394466e03a","container.image.repository":null,"container.image.tag":null,"container.name":null,"evt.time":1795316552406091616,"fd.name":"127.0.0.1:47514->127.0.0.1:45553","k8s.ns.name":null,"k8s.pod.name":null,"proc.name":"python3"}');
INSERT INTO "alerts" VALUES(21,2,6,1,1795316552406408406,1254,111436,14432,14432,8589934594,4,'syscall','python3 127.0.0.1:47520->127.0.0.1:45553 container_id=d9394466e03a container_name=<NA> container_image_repository=<NA> container_image_tag=<NA> k8s_pod_name=<NA> k8s_ns_name=<NA>','{"container.id":"d9394466e03a","container.image.repository":null,"container.image.tag":null,"container.name":null,"evt.time":1795316552406408406,"fd.name":"127.0.0.1:47520->127.0.0.1:45553","k8s.ns.name":null,"k8s.pod.name":null,"proc.name":"python3"}');
INSERT INTO "alerts" VALUES(22,2,7,1,1795316552406626641,1276,113320,14432,14432,8589934594,4,'syscall','python3 127.0.0.1:47524->127.0.0.1:45553 container_id=d9394466e03a container_name=<NA> container_image_repository=<NA> container_image_tag=<NA> k8s_pod_name=<NA> k8s_ns_name=<NA>','{"container.id":"d9394466e03a","container.image.repository":null,"container.image.tag":null,"container.name":null,"evt.time":1795316552406626641,"fd.name":"127.0.0.1:47524->127.0.0.1:45553","k8s.ns.name":null,"k8s.pod.name":null,"proc.name":"python3"}');
INSERT INTO "alerts" VALUES(23,2,8,1,1795316552407857960,1331,117880,14432,14432,8589934594,4,'syscall','python3 ::1:56208->::1:45329 container_id=d9394466e03a container_name=<NA> container_image_repository=<NA> container_image_tag=<NA> k8s_pod_name=<NA> k8s_ns_name=<NA>','{"container.id":"d9394466e03a","container.image.repository":null,"container.image.tag":null,"container.name":null,"evt.time":1795316552407857960,"fd.name":"::1:56208->::1:45329","k8s.ns.name":null,"k8s.pod.name":null,"proc.name":"python3"}');
INSERT INTO "alerts" VALUES(24,2,9,1,1795316552408463881,1354,119976,14432,14432,8589934594,4,'syscall','python3 ::1:56224->::1:45329 container_id=d9394466e03a container_name=<NA> container_image_repository=<NA> container_image_tag=<NA> k8s_pod_name=<NA> k8s_ns_name=<NA>','{"container.id":"d9394466e03a","container.image.repository":null,"container.image.tag":null,"container.name":null,"evt.time":1795316552408463881,"fd.name":"::1:56224->::1:45329","k8s.ns.name":null,"k8s.pod.name":null,"proc.name":"python3"}');
INSERT INTO "alerts" VALUES(25,2,10,1,1795316552408757537,1376,122008,14432,14432,8589934594,4,'syscall','python3 ::1:56236->::1:45329 container_id=d9394466e03a container_name=<NA> container_image_repository=<NA> container_image_tag=<NA> k8s_pod_name=<NA> k8s_ns_name=<NA>','{"container.id":"d9394466e03a","container.image.repository":null,"container.image.tag":null,"container.name":null,"evt.time":1795316552408757537,"fd.name":"::1:56236->::1:45329","k8s.ns.name":null,"k8s.pod.name":null,"proc.name":"python3"}');
INSERT INTO "alerts" VALUES(26,2,11,1,1795316552409016923,1398,124016,14432,14432,8589934594,4,'syscall','python3 ::1:56238->::1:45329 container_id=d9394466e03a container_name=<NA> container_image_repository=<NA> container_image_tag=<NA> k8s_pod_name=<NA> k8s_ns_name=<NA>','{"container.id":"d9394466e03a","container.image.repository":null,"container.image.tag":null,"container.name":null,"evt.time":1795316552409016923,"fd.name":"::1:56238->::1:45329","k8s.ns.name":null,"k8s.pod.name":null,"proc.name":"python3"}');
INSERT INTO "alerts" VALUES(27,2,12,1,1795316552409227776,1420,126024,14432,14432,8589934594,4,'syscall','python3 ::1:56248->::1:45329 container_id=d9394466e03a container_name=<NA> container_image_repository=<NA> container_image_tag=<NA> k8s_pod_name=<NA> k8s_ns_name=<NA>','{"container.id":"d9394466e03a","container.image.repository":null,"container.image.tag":null,"container.name":null,"evt.time":1795316552409227776,"fd.name":"::1:56248->::1:45329","k8s.ns.name":null,"k8s.pod.name":null,"proc.name":"python3"}');
INSERT INTO "alerts" VALUES(28,2,13,1,1795316552410467348,1474,130384,14432,14432,8589934594,4,'syscall','python3 127.0.0.1:42975->127.0.0.1:47556 container_id=d9394466e03a container_name=<NA> container_image_repository=<NA> container_image_tag=<NA> k8s_pod_name=<NA> k8s_ns_name=<NA>','{"container.id":"d9394466e03a","container.image.repository":null,"container.image.tag":null,"container.name":null,"evt.time":1795316552410467348,"fd.name":"127.0.0.1:42975->127.0.0.1:47556","k8s.ns.name":null,"k8s.pod.name":null,"proc.name":"python3"}');
INSERT INTO "alerts" VALUES(29,2,14,1,1795316552411116413,1491,131576,14432,14432,8589934594,4,'syscall','python3 ffff888120804d80->ffff888120806880 /tmp/tmp0lyf_i_f/s container_id=d9394466e03a container_name=<NA> container_image_repository=<NA> container_image_tag=<NA> k8s_pod_name=<NA> k8s_ns_name=<NA>','{"container.id":"d9394466e03a","container.image.repository":null,"container.image.tag":null,"container.name":null,"evt.time":1795316552411116413,"fd.name":"ffff888120804d80->ffff888120806880 /tmp/tmp0lyf_i_f/s","k8s.ns.name":null,"k8s.pod.name":null,"proc.name":"python3"}');
INSERT INTO "alerts" VALUES(30,2,15,1,1795316552411410079,1512,133284,14432,14432,8589934594,4,'syscall','python3 127.0.0.1:47446->127.0.0.1:1 container_id=d9394466e03a container_name=<NA> container_image_repository=<NA> container_image_tag=<NA> k8s_pod_name=<NA> k8s_ns_name=<NA>','{"container.id":"d9394466e03a","container.image.repository":null,"container.image.tag":null,"container.name":null,"evt.time":1795316552411410079,"fd.name":"127.0.0.1:47446->127.0.0.1:1","k8s.ns.name":null,"k8s.pod.name":null,"proc.name":"python3"}');
CREATE TABLE captures (
  capture_id     INTEGER PRIMARY KEY,
  sha256         TEXT UNIQUE, -- of the file as stored; NULL: never read to its end
  path           TEXT NOT NULL,
  hostname       TEXT,
  num_cpus       INTEGER,
  boot_ts        INTEGER,
  first_ts       INTEGER,
  last_ts        INTEGER,
  compression    TEXT, -- plain, gzip or zstd
  format_major   INTEGER,
  format_minor   INTEGER,
  file_size      INTEGER,
  stream_size    INTEGER, -- uncompressed
  sections       INTEGER,
  blocks         INTEGER,
  unknown_blocks INTEGER,
  events         INTEGER,
  events_stored  INTEGER,
  events_unknown INTEGER,
  gaps           INTEGER,
  interrupted    INTEGER NOT NULL DEFAULT 1 -- 1: not read to its end
) STRICT;
INSERT INTO "captures" VALUES(1,'e675364e65353e9a8df7468e7614a85ef438693e793f19c6c25f72b7b95952bc','network.scap','vm',2,1795311117000000000,1795316552365979596,1795316552435594604,'gzip',1,2,21504,139156,1,1604,0,1600,0,0,0,0);
CREATE TABLE damage (
  run_capture_id INTEGER NOT NULL REFERENCES run_captures,
  seq            INTEGER NOT NULL,
  stream_offset  INTEGER NOT NULL,
  bytes          INTEGER, -- NULL: not known
  reason         TEXT NOT NULL,
  description    TEXT NOT NULL,
  PRIMARY KEY (run_capture_id, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE execs (
  process_id INTEGER NOT NULL REFERENCES processes,
  seq        INTEGER NOT NULL, -- 1 is the first exec of the process
  ts         INTEGER NOT NULL,
  evt_num    INTEGER NOT NULL,
  evt_offset INTEGER NOT NULL,
  uid        INTEGER NOT NULL,
  comm       TEXT,
  exe        TEXT,
  exepath    TEXT,
  cmdline    TEXT,
  cwd        TEXT,
  args       TEXT, -- JSON array, without argv[0]
  PRIMARY KEY (process_id, seq)
) STRICT;
INSERT INTO "execs" VALUES(4294967297,1,1795316552365979596,1,2492,0,'bash','bash','/usr/bin/bash','bash /opt/w/network.sh','','["/opt/w/network.sh"]');
INSERT INTO "execs" VALUES(4294967298,1,1795316552368572990,242,23296,0,'python3','python3','/usr/bin/python3.11','python3 -','','["-"]');
INSERT INTO "execs" VALUES(8589934593,1,1795316552365979596,1,2492,0,'bash','bash','/usr/bin/bash','bash /opt/w/network.sh','','["/opt/w/network.sh"]');
INSERT INTO "execs" VALUES(8589934594,1,1795316552368572990,242,23296,0,'python3','python3','/usr/bin/python3.11','python3 -','','["-"]');
CREATE TABLE meta (
  name  TEXT NOT NULL PRIMARY KEY,
  value TEXT
) STRICT, WITHOUT ROWID;
INSERT INTO "meta" VALUES('created','2026-11-23T02:09:09Z');
INSERT INTO "meta" VALUES('created_by','0.1.0');
CREATE TABLE priorities (
  priority INTEGER PRIMARY KEY, -- 0 is the most severe
  name     TEXT NOT NULL UNIQUE
) STRICT;
INSERT INTO "priorities" VALUES(0,'Emergency');
INSERT INTO "priorities" VALUES(1,'Alert');
INSERT INTO "priorities" VALUES(2,'Critical');
INSERT INTO "priorities" VALUES(3,'Error');
INSERT INTO "priorities" VALUES(4,'Warning');
INSERT INTO "priorities" VALUES(5,'Notice');
INSERT INTO "priorities" VALUES(6,'Informational');
INSERT INTO "priorities" VALUES(7,'Debug');
CREATE TABLE processes (
  process_id     INTEGER PRIMARY KEY, -- run_capture_id * 4294967296 + number in the reading
  run_capture_id INTEGER NOT NULL REFERENCES run_captures,
  parent_id      INTEGER, -- process_id of the parent
  pid            INTEGER,
  ppid           INTEGER,
  vpid           INTEGER,
  sid            INTEGER,
  origin         TEXT NOT NULL, -- list, clone, exec or placeholder
  start_ts       INTEGER, -- NULL: before the capture
  start_evt      INTEGER,
  end_ts         INTEGER,
  end_evt        INTEGER,
  end_kind       TEXT, -- exit or vanished; NULL: still there at the end
  exit_status    INTEGER, -- as wait(2) reports it
  exit_code      INTEGER,
  exit_signal    INTEGER,
  core_dumped    INTEGER,
  uid            INTEGER NOT NULL,
  loginuid       INTEGER NOT NULL, -- 4294967295: not set
  tty            INTEGER NOT NULL,
  comm           TEXT,
  exe            TEXT,
  exepath        TEXT,
  cmdline        TEXT,
  cwd            TEXT,
  container_id   TEXT
) STRICT;
INSERT INTO "processes" VALUES(4294967297,1,NULL,14431,NULL,14431,NULL,'clone',1795316552365979596,1,1795316552435398233,1599,'exit',0,0,NULL,NULL,0,4294967295,0,'bash','bash','/usr/bin/bash','bash /opt/w/network.sh','','d9394466e03a');
INSERT INTO "processes" VALUES(4294967298,1,4294967297,14432,14431,14432,NULL,'clone',1795316552367995472,223,1795316552434114385,1588,'exit',0,0,NULL,NULL,0,4294967295,0,'bash','bash','/usr/bin/bash','bash /opt/w/network.sh','',NULL);
INSERT INTO "processes" VALUES(8589934593,2,NULL,14431,NULL,14431,NULL,'clone',1795316552365979596,1,1795316552435398233,1599,'exit',0,0,NULL,NULL,0,4294967295,0,'bash','bash','/usr/bin/bash','bash /opt/w/network.sh','','d9394466e03a');
INSERT INTO "processes" VALUES(8589934594,2,8589934593,14432,14431,14432,NULL,'clone',1795316552367995472,223,1795316552434114385,1588,'exit',0,0,NULL,NULL,0,4294967295,0,'bash','bash','/usr/bin/bash','bash /opt/w/network.sh','',NULL);
CREATE TABLE rule_files (
  run_id INTEGER NOT NULL REFERENCES runs,
  seq    INTEGER NOT NULL, -- 1 is the file loaded first
  name   TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  ok     INTEGER NOT NULL,
  PRIMARY KEY (run_id, seq)
) STRICT, WITHOUT ROWID;
INSERT INTO "rule_files" VALUES(1,1,'one.yaml','ec88cdaaf25f729d27bc2385509b92fadbf4c364ca22a927e1b1c6f696ffbeef',1);
INSERT INTO "rule_files" VALUES(2,1,'one.yaml','ec88cdaaf25f729d27bc2385509b92fadbf4c364ca22a927e1b1c6f696ffbeef',1);
CREATE TABLE rules ( -- each content once, whatever the number of runs
  rule_id     INTEGER PRIMARY KEY,
  digest      TEXT NOT NULL UNIQUE,
  name        TEXT NOT NULL,
  description TEXT,
  source      TEXT NOT NULL,
  priority    INTEGER NOT NULL REFERENCES priorities,
  condition   TEXT, -- as written
  compiled    TEXT, -- with lists, macros and exceptions filled in
  output      TEXT,
  tags        TEXT NOT NULL -- JSON array, sorted
) STRICT;
INSERT INTO "rules" VALUES(1,'a9e33847d9913467d56ba2b403110cbd22dd5a156e400b683af244a6958524ca','Connected','A connection','syscall',4,'evt.type = connect','evt.type = connect','%proc.name %fd.name container_id=%container.id container_name=%container.name container_image_repository=%container.image.repository container_image_tag=%container.image.tag k8s_pod_name=%k8s.pod.name k8s_ns_name=%k8s.ns.name','["network"]');
CREATE TABLE run_captures ( -- one reading of one capture
  run_capture_id INTEGER PRIMARY KEY,
  run_id         INTEGER NOT NULL REFERENCES runs,
  capture_id     INTEGER NOT NULL REFERENCES captures,
  seq            INTEGER NOT NULL, -- 1 is the first capture of the run
  path           TEXT NOT NULL,
  events         INTEGER,
  gaps           INTEGER,
  cut_values     INTEGER, -- texts too long for the case
  interrupted    INTEGER NOT NULL DEFAULT 1,
  UNIQUE (run_id, seq)
) STRICT;
INSERT INTO "run_captures" VALUES(1,1,1,1,'tests/captures/network.scap',1600,0,0,0);
INSERT INTO "run_captures" VALUES(2,2,1,1,'network.scap',1600,0,0,0);
CREATE TABLE run_rules (
  run_id  INTEGER NOT NULL REFERENCES runs,
  seq     INTEGER NOT NULL, -- 0 is the rule defined first
  rule_id INTEGER NOT NULL REFERENCES rules,
  enabled INTEGER NOT NULL,
  file    TEXT,
  line    INTEGER,
  PRIMARY KEY (run_id, seq)
) STRICT, WITHOUT ROWID;
INSERT INTO "run_rules" VALUES(1,0,1,1,'one.yaml',1);
INSERT INTO "run_rules" VALUES(2,0,1,1,'one.yaml',1);
CREATE TABLE runs (
  run_id      INTEGER PRIMARY KEY,
  version     TEXT NOT NULL, -- of the program
  command     TEXT NOT NULL,
  matching    TEXT NOT NULL, -- first or all
  started_ts  INTEGER NOT NULL,
  finished_ts INTEGER,
  state       TEXT NOT NULL DEFAULT 'running', -- running or finished
  exit_status INTEGER
) STRICT;
INSERT INTO "runs" VALUES(1,'0.1.0','scapula replay -r one.yaml --db one.case.db network.scap','first',1795399749000000000,1795399749695461811,'finished',0);
INSERT INTO "runs" VALUES(2,'0.1.0','scapula replay -r one.yaml --db one.case.db network.scap','first',1795399749000000000,1795399749787919973,'finished',0);
CREATE INDEX run_captures_by_capture ON run_captures (capture_id);
CREATE INDEX rules_by_name ON rules (name);
CREATE INDEX run_rules_by_rule ON run_rules (rule_id);
CREATE INDEX processes_by_parent ON processes (parent_id);
CREATE INDEX alerts_by_rule ON alerts (rule_id, ts);
CREATE INDEX alerts_by_time ON alerts (ts);
CREATE INDEX alerts_by_process ON alerts (process_id);
CREATE VIEW v_run AS SELECT
  r.run_id,
  iif(r.state = 'running', 'unfinished', r.state) AS status,
  r.exit_status,
  strftime('%Y-%m-%dT%H:%M:%S', r.started_ts / 1000000000, 'unixepoch') || printf('.%09dZ', r.started_ts % 1000000000) AS started,
  strftime('%Y-%m-%dT%H:%M:%S', r.finished_ts / 1000000000, 'unixepoch') || printf('.%09dZ', r.finished_ts % 1000000000) AS finished,
  r.version, r.command, r.matching,
  (SELECT count(*) FROM run_captures c WHERE c.run_id = r.run_id) AS captures,
  (SELECT count(*) FROM run_rules u WHERE u.run_id = r.run_id AND u.enabled) AS rules,
  (SELECT count(*) FROM run_captures c JOIN alerts a USING (run_capture_id)
   WHERE c.run_id = r.run_id) AS alerts
FROM runs r;
CREATE VIEW v_capture AS SELECT
  c.capture_id, c.path, c.hostname, c.sha256,
  strftime('%Y-%m-%dT%H:%M:%S', c.first_ts / 1000000000, 'unixepoch') || printf('.%09dZ', c.first_ts % 1000000000) AS first_time,
  strftime('%Y-%m-%dT%H:%M:%S', c.last_ts / 1000000000, 'unixepoch') || printf('.%09dZ', c.last_ts % 1000000000) AS last_time,
  (c.last_ts - c.first_ts) / 1e9 AS seconds,
  strftime('%Y-%m-%dT%H:%M:%S', c.boot_ts / 1000000000, 'unixepoch') || printf('.%09dZ', c.boot_ts % 1000000000) AS boot_time,
  c.num_cpus, c.compression,
  c.format_major || '.' || c.format_minor AS format,
  c.file_size, c.stream_size, c.events, c.events_unknown, c.unknown_blocks, c.gaps,
  c.interrupted,
  (SELECT count(*) FROM run_captures r WHERE r.capture_id = c.capture_id) AS runs
FROM captures c;
CREATE VIEW v_damage AS SELECT
  c.capture_id, c.path, r.run_id, d.stream_offset, d.bytes, d.reason, d.description
FROM damage d JOIN run_captures r USING (run_capture_id) JOIN captures c USING (capture_id)
WHERE r.run_capture_id = (SELECT max(n.run_capture_id) FROM run_captures n
                          WHERE n.capture_id = r.capture_id);
CREATE VIEW v_process AS SELECT
  r.run_id, r.capture_id, p.run_capture_id, p.process_id, p.parent_id,
  p.pid, p.ppid, p.vpid, p.sid, p.origin,
  strftime('%Y-%m-%dT%H:%M:%S', p.start_ts / 1000000000, 'unixepoch') || printf('.%09dZ', p.start_ts % 1000000000) AS started,
  strftime('%Y-%m-%dT%H:%M:%S', p.end_ts / 1000000000, 'unixepoch') || printf('.%09dZ', p.end_ts % 1000000000) AS ended,
  (p.end_ts - p.start_ts) / 1e9 AS seconds,
  CASE WHEN p.end_kind IS NULL THEN 'running'
    WHEN p.end_kind = 'vanished' THEN 'vanished'
    WHEN p.exit_signal IS NOT NULL THEN 'signal ' || p.exit_signal
      || iif(p.core_dumped, ' (core dumped)', '')
    WHEN p.exit_code IS NOT NULL THEN 'exit ' || p.exit_code
    ELSE 'exit' END AS outcome,
  iif(x.seq IS NULL, p.comm, x.comm) AS comm,
  iif(x.seq IS NULL, p.exe, x.exe) AS exe,
  iif(x.seq IS NULL, p.exepath, x.exepath) AS exepath,
  iif(x.seq IS NULL, p.cmdline, x.cmdline) AS cmdline,
  iif(x.seq IS NULL, p.cwd, x.cwd) AS cwd,
  ifnull(x.seq, 0) AS execs,
  iif(x.seq IS NULL, p.uid, x.uid) AS uid,
  nullif(p.loginuid, 4294967295) AS loginuid, nullif(p.tty, 0) AS tty, p.container_id
FROM processes p JOIN run_captures r USING (run_capture_id)
LEFT JOIN execs x ON x.process_id = p.process_id
  AND x.seq = (SELECT max(n.seq) FROM execs n WHERE n.process_id = p.process_id);
CREATE VIEW v_exec AS SELECT
  r.run_id, r.capture_id, p.run_capture_id, x.process_id, x.seq, p.pid, p.ppid,
  strftime('%Y-%m-%dT%H:%M:%S', x.ts / 1000000000, 'unixepoch') || printf('.%09dZ', x.ts % 1000000000) AS time,
  x.ts, x.evt_num, x.evt_offset, x.uid, x.comm, x.exe, x.exepath, x.cmdline, x.cwd, x.args,
  p.container_id
FROM execs x JOIN processes p USING (process_id)
JOIN run_captures r USING (run_capture_id);
CREATE VIEW v_alert AS SELECT
  a.alert_id, r.run_id, r.capture_id, a.run_capture_id, a.seq,
  strftime('%Y-%m-%dT%H:%M:%S', a.ts / 1000000000, 'unixepoch') || printf('.%09dZ', a.ts % 1000000000) AS time,
  a.ts, y.name AS priority, u.name AS rule, a.source, u.tags,
  a.output, a.output_fields, a.evt_num, a.evt_offset, a.tid, a.pid, a.process_id,
  iif(x.seq IS NULL, p.comm, x.comm) AS comm,
  iif(x.seq IS NULL, p.exepath, x.exepath) AS exepath,
  iif(x.seq IS NULL, p.cmdline, x.cmdline) AS cmdline,
  p.container_id, c.path AS capture, c.hostname, a.priority AS severity
FROM alerts a JOIN rules u USING (rule_id) JOIN priorities y ON y.priority = a.priority
JOIN run_captures r USING (run_capture_id) JOIN captures c USING (capture_id)
LEFT JOIN processes p USING (process_id)
LEFT JOIN execs x ON x.process_id = a.process_id
  AND x.seq = (SELECT max(n.seq) FROM execs n
    WHERE n.process_id = a.process_id AND n.evt_num <= a.evt_num);
COMMIT;
