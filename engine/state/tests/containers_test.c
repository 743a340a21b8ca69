/* SPDX-License-Identifier: Apache-2.0 */
/* Containers: ids from cgroup paths, metadata from events. */
#include "engine/state/internal.h"
#include "engine/state/tests/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define H   "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define HID "0123456789ab"

static const struct vector {
	const char *path, *id;
	uint16_t type;
} vectors[] = {
    {"/docker/" H, HID, STATE_CT_UNKNOWN},
    {"/docker.slice/docker-" H ".scope", HID, STATE_CT_UNKNOWN},
    {"/kubepods/besteffort/podX/" H, HID, STATE_CT_UNKNOWN},
    {"/kubepods.slice/kp.slice/kp-pod1.slice/crio-" H ".scope", HID, STATE_CT_UNKNOWN},
    {"/kubepods.slice/kp.slice/kp-pod1.slice/crio-" H, HID, STATE_CT_UNKNOWN},
    {"/kubepods.slice/kp-pod1.slice/cri-containerd-" H ".scope", HID, STATE_CT_UNKNOWN},
    {"/kubepods-burstable-pod1.slice:cri-containerd:" H, HID, STATE_CT_UNKNOWN},
    {"/system.slice/libpod-" H, HID, STATE_CT_UNKNOWN},
    {"/system.slice/libpod-" H ".scope", HID, STATE_CT_UNKNOWN},
    {"/user.slice/user-1000.slice/user@1000.service/libpod-" H, HID, STATE_CT_UNKNOWN},
    {"/system.slice/x.service/libpod-payload-" H ".scope", HID, STATE_CT_UNKNOWN},
    {"/machine.slice/libpod-" H ".scope/container", HID, STATE_CT_UNKNOWN},
    {"/system.slice/nerdctl-" H ".scope", HID, STATE_CT_UNKNOWN},
    {"/default/test_container", "test_contain", STATE_CT_UNKNOWN},
    {"/my.namespace/container.name", "container.na", STATE_CT_UNKNOWN},
    {"/default/a", "a", STATE_CT_UNKNOWN},
    {"/default/service.container", "service.cont", STATE_CT_UNKNOWN},
    {"/default/id.service", "", STATE_CT_UNKNOWN},
    {"/default/id.slice", "", STATE_CT_UNKNOWN},
    {"/default/id.scope", "", STATE_CT_UNKNOWN},
    {"/namespace/.scope", "", STATE_CT_UNKNOWN},
    {"/", "", STATE_CT_UNKNOWN},
    {"", "", STATE_CT_UNKNOWN},
    {"/user.slice/user-1000.slice/user@1000.service/init.scope", "", STATE_CT_UNKNOWN},
    {"/x/libpod-" H "0123456789abcdef0123456789abcdef0123456789abcdef", "", STATE_CT_UNKNOWN},
    {"/lxc.payload.vm1/init.scope", "vm1", STATE_CT_LXC},
    {"/machine.slice/machine-lxc\\x2d1234\\x2dvm.scope", "1234\\x2dvm", STATE_CT_LIBVIRT_LXC},
    {"/machine.slice/machine-lxc\\x2d1234\\x2dvm.scope/libvirt", "machine-lxc\\", STATE_CT_UNKNOWN},
    {"/vm1.libvirt-lxc", "vm1", STATE_CT_LIBVIRT_LXC},
    {"/system.slice/runc-bpm-job.scope", "job", STATE_CT_BPM},
    {"/lxc/vm1", "vm1", STATE_CT_UNKNOWN},
    {"/libvirt/lxc/vm1", "lxc/vm1", STATE_CT_UNKNOWN},
    {"/machine/vm1.libvirt-lxc", "vm1.libvirt-", STATE_CT_UNKNOWN},
    {"/user.slice/user-1000.slice/user@1000.service/app.slice/x", "user-1000.sl", STATE_CT_UNKNOWN},
    {"/machine.slice/systemd-nspawn@x.service/payload", "systemd-nspa", STATE_CT_UNKNOWN},
    {"/a__b/name", "", STATE_CT_UNKNOWN},
    {"/ns/xyz3456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "xyz3456789ab",
     STATE_CT_UNKNOWN},
    {"/ns/xyz3456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0", "", STATE_CT_UNKNOWN},
    {"/x:y/runc-bpm-a+b.scope", "", STATE_CT_UNKNOWN},
    {"/x:y/libvirt/lxc/vm1", "lxc/vm1", STATE_CT_UNKNOWN},
};

static void cgroup_paths_name_containers_as_the_vectors_say(void **arg)
{
	(void)arg;
	for (size_t i = 0; i < COUNT_OF(vectors); i++) {
		uint16_t type;
		struct sv id = state_cgroup_id(sv_of(vectors[i].path), &type);

		if (!sv_is(id, vectors[i].id) || type != vectors[i].type)
			fail_msg("'%s' gave '%.*s' type %u, not '%s' type %u", vectors[i].path,
				 (int)id.n, id.p, type, vectors[i].id, vectors[i].type);
	}
}

static void async(struct world *w, const char *name, const char *json)
{
	EVENT(w, -1, EV_ASYNCEVENT_E, I(0), S(name), BYTES(json, strlen(json) + 1));
}

static const struct state_container *container_of(const struct world *w, int64_t tid)
{
	return state_container_find(w->st, state_sv(T(w, tid)->container_id));
}

static void a_removed_container_is_known_in_that_event_only(void **arg)
{
	const char *json = "{\"container\":{\"id\":\"" HID "\",\"name\":\"web\"}}";
	struct world w;

	(void)arg;
	world_init_base(&w);
	async(&w, "container", json);
	assert_non_null(state_container_find(w.st, SV_LIT(HID)));
	async(&w, "container_removed", json);
	assert_text(state_container_of_event(w.st, w.bind.ev)->name, "web");
	assert_null(state_container_find(w.st, SV_LIT(HID)));
	async(&w, "something else", json);
	assert_null(state_container_of_event(w.st, w.bind.ev));
	EVENT(&w, -1, EV_ASYNCEVENT_E, I(7), S("container"), BYTES(json, strlen(json)));
	assert_null(state_container_find(w.st, SV_LIT(HID)));
	world_done(&w);
}

static const char full[] =
    "{\"container\":{\"type\":7,\"id\":\"abc\",\"name\":\"n\",\"image\":\"i:t\",\"imagedigest\":"
    "\"d\","
    "\"imageid\":\"ii\",\"imagerepo\":\"i\",\"imagetag\":\"t\",\"User\":\"u\",\"cni_json\":\"c\","
    "\"created_time\":1700000000,\"full_id\":\"abcdef\",\"host_ipc\":true,\"host_network\":false,"
    "\"host_pid\":true,\"ip\":\"10.0.0.7\",\"is_pod_sandbox\":true,\"labels\":{\"z\":\"1\",\"a\":"
    "\"2\"},"
    "\"pod_sandbox_id\":\"p\",\"privileged\":true,\"pod_sandbox_labels\":null,\"unknown\":[1,{}],"
    "\"Mounts\":[{\"Source\":\"/s\",\"Destination\":\"/d\",\"Mode\":\"m\",\"RW\":true,"
    "\"Propagation\":\"p\"}],\"Healthcheck\":{\"exe\":\"/bin/check\",\"args\":[\"-q\"]}}}";

static void every_key_of_the_description_is_kept(void **arg)
{
	const struct state_container *c;
	struct world w;

	(void)arg;
	world_init_base(&w);
	EVENT(&w, -1, EV_CONTAINER_JSON_2_E, S(full));
	c = state_container_find(w.st, SV_LIT("abc"));
	assert_non_null(c);
	assert_int_equal(c->type, STATE_CT_CONTAINERD);
	assert_text(c->full_id, "abcdef");
	assert_text(c->name, "n");
	assert_text(c->image, "i:t");
	assert_text(c->image_digest, "d");
	assert_text(c->image_id, "ii");
	assert_text(c->image_repo, "i");
	assert_text(c->image_tag, "t");
	assert_text(c->user, "u");
	assert_text(c->cni_json, "c");
	assert_text(c->ip, "10.0.0.7");
	assert_text(c->pod_sandbox_id, "p");
	assert_int_equal(c->created_time, 1700000000);
	assert_true(c->host_ipc && c->host_pid && c->privileged && c->is_pod_sandbox);
	assert_false(c->host_network);
	assert_int_equal(c->label_count, 2);
	assert_text(c->labels[0].key, "a");
	assert_text(c->labels[1].value, "1");
	assert_int_equal(c->sandbox_label_count, 0);
	assert_int_equal(c->mount_count, 1);
	assert_text(c->mounts[0].source, "/s");
	assert_text(c->mounts[0].dest, "/d");
	assert_text(c->mounts[0].mode, "m");
	assert_text(c->mounts[0].propagation, "p");
	assert_true(c->mounts[0].rdwr);
	/* A later description replaces it. */
	EVENT(&w, -1, EV_CONTAINER_JSON_2_E, S("{\"container\":{\"id\":\"abc\",\"name\":\"m\"}}"));
	assert_text(state_container_find(w.st, SV_LIT("abc"))->name, "m");
	world_done(&w);
}

static void the_shape_of_old_captures_is_understood(void **arg)
{
	struct world w;

	(void)arg;
	world_init_base(&w);
	EVENT(&w, -1, EV_CONTAINER_JSON_2_E,
	      S("{\"id\":\"abc\",\"type\":1,\"name\":\"old\",\"image\":\"i\"}"));
	assert_text(state_container_find(w.st, SV_LIT("abc"))->name, "old");
	assert_int_equal(state_container_find(w.st, SV_LIT("abc"))->type, STATE_CT_LXC);
	world_done(&w);
}

static void hostile_descriptions_are_ignored(void **arg)
{
	static const char *const bad[] = {
	    "",
	    "null",
	    "[]",
	    "{\"container\":",
	    "{}",
	    "{\"container\":{}}",
	    "{\"container\":{\"id\":7}}",
	    "{\"container\":{\"id\":\"\"}}",
	    "\xff\xfe",
	};
	static const char wrong_types[] =
	    "{\"container\":{\"id\":\"x\",\"type\":1e300,\"labels\":[1],\"Mounts\":{\"a\":1},"
	    "\"name\":{},\"created_time\":\"t\",\"Healthcheck\":7,\"ip\":\"999.1\"}}";
	const size_t depth = 100000;
	char *deep = malloc(2 * depth);
	size_t at = 0;
	struct world w;

	(void)arg;
	assert_non_null(deep);
	memset(deep, '[', depth);
	memset(deep + depth, ']', depth);
	world_init_base(&w);
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		async(&w, "container", bad[i]);
	EVENT(&w, -1, EV_ASYNCEVENT_E, I(0), S("container"), BYTES(deep, 2 * depth));
	assert_null(state_container_next(w.st, &at));
	async(&w, "container", wrong_types);
	assert_int_equal(state_container_find(w.st, SV_LIT("x"))->type, STATE_CT_UNKNOWN);
	assert_int_equal(state_container_find(w.st, SV_LIT("x"))->label_count, 0);
	free(deep);
	world_done(&w);
}

static void too_big_descriptions_are_ignored(void **arg)
{
	size_t n = STATE_CONTAINER_JSON_MAX + 1, at = 0;
	char *json = malloc(n);
	struct world w;

	(void)arg;
	assert_non_null(json);
	memset(json, ' ', n);
	memcpy(json, "{\"id\":\"x\"}", 10);
	world_init_base(&w);
	EVENT(&w, -1, EV_ASYNCEVENT_E, I(0), S("container"), BYTES(json, n));
	assert_null(state_container_next(w.st, &at));
	EVENT(&w, -1, EV_ASYNCEVENT_E, I(0), S("container"), BYTES(json, n - 1));
	at = 0;
	assert_non_null(state_container_next(w.st, &at));
	free(json);
	world_done(&w);
}

static void some_paths_tell_the_runtime_without_metadata(void **arg)
{
	struct world w;

	(void)arg;
	world_init_base(&w);
	EXEC(&w, 40, .pid = 40, CGROUPS("cpu=/\0mem=/lxc.payload.vm1/init.scope"));
	assert_text(T(&w, 40)->container_id, "vm1");
	assert_int_equal(container_of(&w, 40)->type, STATE_CT_LXC);
	world_done(&w);
}

static void threads_of_the_initial_list_get_their_container(void **arg)
{
	static const char cgroups[] = "cpu=/docker/" H;
	struct ev_thread_entry t = world_entry(40, 40, 1);
	struct world w;

	(void)arg;
	world_init_base(&w);
	t.cgroups = sv_make(cgroups, sizeof(cgroups));
	world_add(&w, &t);
	/* Metadata at the head of the stream is part of the initial state. */
	async(&w, "container", "{\"container\":{\"id\":\"" HID "\",\"name\":\"web\",\"type\":0}}");
	assert_false(w.bind.visible);
	assert_int_equal(w.rc, 1);
	world_tick(&w);
	assert_true(w.bind.visible);
	assert_int_equal(w.bind.ev->num, 2);
	assert_text(T(&w, 40)->container_id, HID);
	assert_text(container_of(&w, 40)->name, "web");
	world_done(&w);
}

static void processes_of_a_container_are_told_from_its_health_checks(void **arg)
{
	struct world w;

	(void)arg;
	world_init_base(&w);
	EVENT(&w, -1, EV_CONTAINER_JSON_2_E,
	      S("{\"container\":{\"id\":\"" HID
		"\",\"Healthcheck\":{\"exe\":\"/check\",\"args\":[\"-q\"]}}}"));
	CLONE(&w, 40, .pid = 40, .ptid = 1, .vtid = 1, .vpid = 1, CGROUPS("cpu=/docker/" H));
	assert_int_equal(T(&w, 40)->container_category, 1);
	CLONE(&w, 41, .pid = 41, .ptid = 40, .vtid = 2, .vpid = 2, CGROUPS("cpu=/docker/" H));
	assert_int_equal(T(&w, 41)->container_category, 1);
	CLONE(&w, 50, .pid = 50, .ptid = 1, .vtid = 7, .vpid = 7, CGROUPS("cpu=/docker/" H));
	assert_int_equal(T(&w, 50)->container_category, 0);
	EXEC(&w, 50, .pid = 50, .exe = "/check", ARGS("-q"), CGROUPS("cpu=/docker/" H));
	assert_int_equal(T(&w, 50)->container_category, 2);
	world_done(&w);
}

static void local_addresses_of_a_container_are_its_own(void **arg)
{
	const uint8_t own[] = {10, 0, 0, 7}, other[] = {10, 0, 0, 8}, v6[16] = {0};
	struct world w;

	(void)arg;
	world_init_base(&w);
	EXEC(&w, 40, .pid = 40, CGROUPS("cpu=/docker/" H));
	EXEC(&w, 41, .pid = 41, CGROUPS("cpu=/ns/other"));
	assert_false(state_addr_is_local(w.st, T(&w, 40), own, 4));
	EVENT(&w, -1, EV_CONTAINER_JSON_2_E,
	      S("{\"container\":{\"id\":\"" HID "\",\"ip\":\"10.0.0.7\"}}"));
	assert_true(state_addr_is_local(w.st, T(&w, 40), own, 4));
	assert_false(state_addr_is_local(w.st, T(&w, 40), other, 4));
	/* A container without address: any known container's is local. */
	assert_true(state_addr_is_local(w.st, T(&w, 41), own, 4));
	assert_false(state_addr_is_local(w.st, T(&w, 41), other, 4));
	assert_false(state_addr_is_local(w.st, T(&w, 1), own, 4));
	assert_false(state_addr_is_local(w.st, T(&w, 40), v6, 16));
	world_done(&w);
}

static void the_number_of_containers_is_limited(void **arg)
{
	char json[64];
	size_t n = 0, at = 0;
	struct world w;

	(void)arg;
	world_init_base(&w);
	for (int i = 0; i < STATE_CONTAINERS_MAX + 5; i++) {
		snprintf(json, sizeof(json), "{\"container\":{\"id\":\"c%d\"}}", i);
		async(&w, "container", json);
	}
	while (state_container_next(w.st, &at))
		n++;
	assert_int_equal(n, STATE_CONTAINERS_MAX);
	/* The event itself still shows what it says. */
	assert_non_null(state_container_of_event(w.st, w.bind.ev));
	world_done(&w);
}

static void containers_can_be_left_out(void **arg)
{
	struct state_options opt = {.no_containers = true};
	struct world w;

	(void)arg;
	world_init(&w, &opt);
	EXEC(&w, 40, .pid = 40, CGROUPS("cpuset=/docker/" H));
	assert_null(T(&w, 40)->container_id);
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(cgroup_paths_name_containers_as_the_vectors_say),
	    cmocka_unit_test(a_removed_container_is_known_in_that_event_only),
	    cmocka_unit_test(every_key_of_the_description_is_kept),
	    cmocka_unit_test(the_shape_of_old_captures_is_understood),
	    cmocka_unit_test(hostile_descriptions_are_ignored),
	    cmocka_unit_test(too_big_descriptions_are_ignored),
	    cmocka_unit_test(some_paths_tell_the_runtime_without_metadata),
	    cmocka_unit_test(threads_of_the_initial_list_get_their_container),
	    cmocka_unit_test(processes_of_a_container_are_told_from_its_health_checks),
	    cmocka_unit_test(local_addresses_of_a_container_are_its_own),
	    cmocka_unit_test(the_number_of_containers_is_limited),
	    cmocka_unit_test(containers_can_be_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
