// Clients that nobody here wrote: what docs/GATEWAY.md says of them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "tests/gateway/gateway.h"

namespace berth::testing {
namespace {

using ::testing::HasSubstr;

struct Client {
  std::string name;
  // Succeeds, and prints this.
  std::string script;
  std::string prints;
};

class InteropTest : public ::testing::TestWithParam<Client> {
 protected:
  // One fleet for all of them.
  static void SetUpTestSuite() {
    fleet_ = new Fleet({"web01"});
    gateway_ = new Gateway(*fleet_);
  }
  static void TearDownTestSuite() {
    delete gateway_;
    delete fleet_;
  }

  static Fleet* fleet_;
  static Gateway* gateway_;
};

Fleet* InteropTest::fleet_ = nullptr;
Gateway* InteropTest::gateway_ = nullptr;

TEST_P(InteropTest, Works) {
  if (GetParam().name == "Sshfs" && access("/dev/fuse", R_OK | W_OK) != 0) {
    GTEST_SKIP() << "/dev/fuse can't be used here";
  }
  const auto done =
      gateway_->Script(absl::StrCat("set -e; cd $DIR\n", GetParam().script));
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_THAT(done.out, HasSubstr(GetParam().prints)) << done.err;
}

constexpr char kInventory[] =
    "echo \"gw ansible_ssh_common_args='-F $CONF' "
    "ansible_python_interpreter=/usr/bin/python3\" >inv\n"
    "export ANSIBLE_HOST_KEY_CHECKING=False ANSIBLE_PIPELINING=";

std::string Ansible(const char* pipelining, const char* module) {
  return absl::StrCat(kInventory, pipelining, "\nansible -i inv all ", module);
}

INSTANTIATE_TEST_SUITE_P(
    All, InteropTest,
    ::testing::ValuesIn<Client>({
        {"ControlMaster",
         "o=\"-F $CONF -o ControlPath=$DIR/cm -o ControlMaster=auto\"\n"
         "ssh $o -o ControlPersist=20 gw echo first\n"
         "ssh $o gw echo second; ssh $o -O exit gw",
         "first\nsecond\n"},
        {"Git",
         "git init -q --bare r.git; git init -q w; cd w\n"
         "git -c user.name=a -c user.email=b commit -q --allow-empty -m told\n"
         "GIT_SSH_COMMAND=\"ssh -F $CONF\" git push -q gw:$DIR/r.git HEAD:m\n"
         "git --git-dir=../r.git log --format=%s m",
         "told"},
        {"AnsiblePing", Ansible("False", "-m ping"), "\"ping\": \"pong\""},
        {"AnsiblePipelined",
         Ansible("True", "-m shell -a 'echo shell-$((1+1))'"), "shell-2"},
        {"AnsibleFacts",
         Ansible("False", "-m setup -a filter=ansible_distribution"),
         "\"ansible_distribution\": \"Debian\""},
        {"AnsibleApt", Ansible("True", "-m apt -a 'name=bash state=present'"),
         "\"changed\": false"},
        {"AnsibleCopy",
         Ansible("False",
                 "-m copy -a \"content=copied dest=$DIR/copied\"\ncat copied"),
         "copied"},
        {"Clush",
         "clush -S --nostdin -w web[01-03] -o \"-F $CONF\" 'echo from'",
         "web03: from"},
        {"Pdsh",
         "export PDSH_SSH_ARGS=\"-F $CONF %h\"\n"
         "pdsh -R ssh -w web[01-03] 'echo from'",
         "web02: from"},
        // As many at a time as they do by default, or more.
        {"Clush64",
         "clush -S --nostdin -f 64 -w web[01-64] -o \"-F $CONF\" 'echo from'"
         " | sort -u | wc -l",
         "64\n"},
        {"Pdsh64",
         "export PDSH_SSH_ARGS=\"-F $CONF %h\"\n"
         "pdsh -S -f 64 -R ssh -w web[01-64] 'echo from' | sort -u | wc -l",
         "64\n"},
        // Its client's part: a control mode that is a text protocol.
        {"TmuxControlMode",
         "{ echo 'display-message -p \"told-#{session_name}\"'; sleep 1;\n"
         "  echo kill-server; } |\n"
         "ssh -F $CONF -tt gw 'tmux -L berth-cc -f /dev/null -CC new -s cc'",
         "told-cc"},
        {"Sshfs",
         "mkdir mnt far; echo far >far/a\n"
         "sshfs gw:$DIR/far mnt -o \"ssh_command=ssh -F $CONF\"\n"
         "trap 'fusermount3 -u mnt' EXIT\n"
         "cat mnt/a; echo near >mnt/b; cat far/b",
         "far\nnear\n"},
        {"MoshIsRefused",
         "ssh -F $CONF gw mosh-server new -s 2>&1 || echo status=$?",
         "outlives the connection\nstatus=1\n"},
        {"Dropbear",
         "dropbearconvert openssh dropbear $KEY db >/dev/null 2>&1\n"
         "dbclient -y -i db -p $PORT admin+web01@127.0.0.1 'echo bear; exit 6'"
         " || echo status=$?",
         "bear\nstatus=6"},
        {"Plink",
         "puttygen $KEY -o k.ppk -O private\n"
         "ssh-keyscan -t ed25519 -p $PORT 127.0.0.1 2>/dev/null >scan\n"
         "h=$(ssh-keygen -lf scan | cut -d' ' -f2)\n"
         "plink -batch -hostkey $h -i k.ppk -P $PORT admin+web01@127.0.0.1 "
         "'echo plink; exit 8' || echo status=$?\n"
         "echo text >p; pscp -q -batch -hostkey $h -i k.ppk -P $PORT p "
         "admin+web01@127.0.0.1:$DIR/p2; cat p2",
         "plink\nstatus=8\ntext\n"},
        {"Paramiko",
         "/usr/bin/python3 - <<'X'\n"
         "import os, paramiko\n"
         "c = paramiko.SSHClient()\n"
         "c.set_missing_host_key_policy(paramiko.AutoAddPolicy())\n"
         "c.connect('127.0.0.1', int(os.environ['PORT']), 'admin+web01',\n"
         "          key_filename=os.environ['KEY'], look_for_keys=False,\n"
         "          allow_agent=False)\n"
         "i, o, e = c.exec_command('cat; exit 5')\n"
         "i.write('through'); i.channel.shutdown_write()\n"
         "print(o.read().decode(), o.channel.recv_exit_status())\n"
         "s = c.open_sftp(); d = os.environ['DIR']\n"
         "with s.open(d + '/py', 'w') as f: f.write('sftp')\n"
         "print(open(d + '/py').read())\n"
         "X\n",
         "through 5\nsftp\n"},
    }),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace berth::testing
