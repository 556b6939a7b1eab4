//! What the command line understands, and what it says of itself.

use clap::CommandFactory as _;

use super::*;

fn parses(line: &str) -> bool {
    Cli::try_parse_from(line.split(' ')).is_ok()
}

#[test]
fn the_definitions_are_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn commands_of_the_docs_are_understood() {
    for line in [
        "bailiwick serve --config /etc/bailiwick.toml",
        "bailiwick login http://127.0.0.1:7420/login/abc",
        "bailiwick server add files --stdio -- npx -y @modelcontextprotocol/server-filesystem /data",
        "bailiwick server add files --stdio --allow-read /data --sharing stateless -- npx -y x",
        "bailiwick server add crm --url https://crm.example/mcp --header Authorization=env:CRM_TOKEN",
        "bailiwick server add --registry-name io.github.acme/weather --url https://w.example/mcp",
        "bailiwick server list --json",
        "bailiwick --json --gateway https://gw.example server show files",
        "bailiwick server update crm --url https://crm.example/v2 --without x-old",
        "bailiwick toolset add support --select crm --select files:tool:read_file",
        "bailiwick agent add bot",
        "bailiwick user add ada@corp.example --role auditor",
        "bailiwick user link ada@corp.example",
        "bailiwick key issue --agent bot --label ci --expires 90d",
        "bailiwick grant add --agent bot --server files",
        "bailiwick grant add --agent bot --server files --tool read_file --actions list,call",
        "bailiwick grant add --group support --toolset t",
        "bailiwick audit tail -n 50 --follow",
        "bailiwick audit verify /srv/ledger --key k.txt --checkpoint c.txt",
        "bailiwick audit rotate-key --config b.toml",
        "bailiwick audit export /srv/ledger --from 2026-07-01 --to 2026-08-01T00:00:00Z --format csv",
        "bailiwick audit export --filter kind=denied,principal=ada@corp.example --filter server=crm -o x.jsonl",
        "bailiwick audit prove 7",
        "bailiwick audit prove 7 /srv/ledger --checkpoint c.txt",
        "bailiwick audit prove --consistency 10 20 /srv/ledger",
        "bailiwick audit check-proof proof.json --key k.txt",
        "bailiwick config check",
        "bailiwick config schema",
    ] {
        assert!(parses(line), "{line}");
    }
}

#[test]
fn contradictions_and_secrets_in_arguments_are_refused() {
    for line in [
        "bailiwick server add crm",
        "bailiwick server add crm --url https://a.example --stdio -- x",
        "bailiwick server add crm --stdio",
        "bailiwick server add crm --url https://a.example --header Authorization=secret",
        "bailiwick server add --url https://a.example",
        "bailiwick grant add --agent bot",
        "bailiwick grant add --server files",
        "bailiwick grant add --agent bot --group g --server files",
        "bailiwick grant add --agent bot --toolset t --tool x",
        "bailiwick grant add --agent bot --server s --tool x --prompt y",
        "bailiwick key issue",
        "bailiwick audit tail -n 0",
        "bailiwick audit export --filter team=x",
        "bailiwick audit export --from yesterday",
        "bailiwick --key bwk_x server list",
    ] {
        assert!(!parses(line), "{line}");
    }
}

#[test]
fn the_help_of_every_command_is_as_committed() {
    let mut text = String::new();
    help(&mut Cli::command(), "bailiwick", &mut text);
    insta::assert_snapshot!("help", text);
}

fn help(command: &mut clap::Command, name: &str, text: &mut String) {
    text.push_str(&format!("# {name}\n\n{}\n", command.render_long_help()));
    for child in command.get_subcommands_mut().filter(|child| child.get_name() != "help") {
        let name = format!("{name} {}", child.get_name());
        help(child, &name, text);
    }
}
