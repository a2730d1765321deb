// What the documents tell people to type is typed: each file's shell blocks from top to bottom, as one shell reads them, in a folder that has what a clone has for a user.
using System.Text;
using System.Text.RegularExpressions;
using Scaling.TestKit;

namespace Scaling.EndToEnd;

public sealed partial class DocumentedCommandsTests : IDisposable
{
    /// <summary>Stands for whatever a line shows that differs from run to run, or is left out.</summary>
    private const char Left = '…';

    private readonly Tool _tool = new() { Executes = ["bash"] };

    private readonly Dictionary<string, string> _help = new(StringComparer.Ordinal);

    public void Dispose() => _tool.Dispose();

    public static TheoryData<string> Documents() => new(MarkdownFile.All.Where(f => f.Blocks.Any(b => b.NotRun is null)).Select(f => f.Name));

    [Theory]
    [MemberData(nameof(Documents))]
    public void The_commands_of_a_document_do_what_it_says(string document)
    {
        var blocks = Document(document).Blocks.Where(b => b.NotRun is null).ToList();
        Prepare();

        var shell = _tool.Run(_tool.Folder.Write("commands.sh", Script(blocks)));

        string[] printed = shell.Output.Split(Mark)[1..];
        Assert.True(shell.ExitCode == 0, $"{document}({(printed.Length == 0 ? 0 : blocks[printed.Length - 1].Line)}): {shell.Output}{shell.Error}");
        Assert.All(blocks.Zip(printed), block => AssertShown(document, block.First, block.Second));
    }

    [Fact]
    public Task Blocks_that_no_test_executes_say_why() => Snapshot.Match(string.Join('\n', MarkdownFile.All.SelectMany(file => file.Blocks.Where(b => b.NotRun is not null)
        .Select(b => $"{file.Name}: {b.NotRun}\n{string.Concat(b.Commands.Select(c => $"    {c.Split('\n')[0]}\n"))}"))));

    /// <summary>Also of those that are not executed, and of those in sentences.</summary>
    [Fact]
    public void Every_command_of_the_tool_that_a_document_names_is_one_with_its_options()
    {
        var commands = MarkdownFile.All.SelectMany(file => file.Blocks.SelectMany(b => b.Commands.Select(c => (b.Line, Text: c))).Concat(file.Spans)
            .SelectMany(c => Call().Matches(Comment().Replace(c.Text.Replace("\\\n", " ", StringComparison.Ordinal), "")).Select(m => (Place: $"{file.Name}({c.Line})", Words: m.Groups["words"].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries)))))
            .ToList();

        Assert.True(commands.Count > 50, $"only {commands.Count} commands were found");
        Assert.Empty(commands.SelectMany(c => Mistakes(c.Words).Select(m => $"{c.Place}: {m} in '{string.Join(' ', c.Words)}'")));
    }

    private static string Mark => "@@ the next block @@\n";

    private static MarkdownFile Document(string name) => MarkdownFile.All.Single(f => f.Name == name);

    /// <summary>Pipelines and examples as a clone has them, and `dotnet`, which knows the tool and nothing else: what builds or installs is marked as not run, and has tests of its own.</summary>
    private void Prepare()
    {
        Copy(Path.Combine(Repository.Root, "pipelines"), _tool.Folder["pipelines"]);
        Copy(Path.Combine(Repository.Root, "examples"), _tool.Folder["examples"]);
        string tool = $"exec '{Tool.Program}' \"$@\"";
        Shim("scaling", tool);
        Shim("dotnet-scaling", tool);
        Shim("dotnet", $"""
            case "$*" in
              scaling*) shift; {tool};;
              'run -c Release --project tool/Scaling.Cli -- '*) shift 6; {tool};;
            esac
            echo "no test executes 'dotnet $*'; a block with it begins with <!-- not run: why -->" >&2
            exit 98
            """);
        _tool.Environment["PATH"] = $"{_tool.Folder["path"]}:{Environment.GetEnvironmentVariable("PATH")}";
        _tool.Environment["HOME"] = Directory.CreateDirectory(_tool.Folder["home"]).FullName;
        _tool.Environment["NUGET_PACKAGES"] = PackedFeed.SharedPackages;
    }

    private void Shim(string name, string text) => _tool.Folder.Write($"path/{name}", $"#!/bin/bash\n{text}\n");

    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (string file in Directory.EnumerateFiles(from).Where(f => !f.EndsWith(".lock.json", StringComparison.Ordinal)))
        {
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        }

        foreach (string folder in Directory.EnumerateDirectories(from).Where(f => Path.GetFileName(f) is not ("bin" or "obj" or "results")))
        {
            Copy(folder, Path.Combine(to, Path.GetFileName(folder)));
        }
    }

    /// <summary>One shell, so that folders, variables and aliases hold from block to block. A command ends with 0, or as its comment says: <c># exit code 3</c>.</summary>
    private static string Script(IEnumerable<ShellBlock> blocks)
    {
        var script = new StringBuilder("""
            exec 2>&1
            chmod +x path/*
            shopt -s expand_aliases
            ended() { [ "$1" -eq "$2" ] || { echo "exit code $1 where $2 is documented: $3"; exit 99; }; }

            """);
        foreach (var block in blocks)
        {
            script.Append(null, $"printf '{Mark.Replace("\n", "\\n", StringComparison.Ordinal)}'\n");
            foreach (string command in block.Commands)
            {
                string expected = ExitCode().Match(command) is { Success: true } m ? m.Groups[1].Value : "0";
                script.Append(null, $"{command}\nended $? {expected} '{command.Split('\n')[0].Replace("'", "'\\''", StringComparison.Ordinal)}'\n");
            }
        }

        return script.ToString();
    }

    /// <summary>What the document shows was printed, in its order; it may leave out lines, and with … parts of them.</summary>
    private static void AssertShown(string document, ShellBlock block, string printed)
    {
        string all = Spaces().Replace(printed, " ");
        int at = 0;
        foreach (string part in (block.Output ?? "").Split('\n', Left).Select(p => Spaces().Replace(p, " ").Trim()).Where(p => p.Length > 0))
        {
            int found = all.IndexOf(part, at, StringComparison.Ordinal);
            Assert.True(found >= 0, $"{document}({block.Line}): shows '{part}', which is not printed{(at > 0 ? " there" : "")}. Printed was:\n{printed}");
            at = found + part.Length;
        }
    }

    private IEnumerable<string> Mistakes(string[] words)
    {
        string verb = "";
        int next = 0;
        while (next < words.Length && Verbs(verb).Contains(words[next]))
        {
            verb = $"{verb} {words[next++]}".Trim();
        }

        if (Verbs(verb).Count > 0 && next < words.Length && Word().IsMatch(words[next]))
        {
            yield return $"no command '{words[next]}'";
        }

        foreach (string option in words[next..].Select(w => Option().Match(w)).Where(m => m.Success).Select(m => m.Value))
        {
            if (!Regex.IsMatch(Help(verb), $@"(?<![\w-]){Regex.Escape(option)}(?![\w-])", RegexOptions.None, TimeSpan.FromSeconds(5)))
            {
                yield return $"no option {option}";
            }
        }
    }

    /// <summary>The commands below a command; none where it is one that does something.</summary>
    private IReadOnlyCollection<string> Verbs(string command) => [.. Help(command).Split("\nCommands:\n") is [_, var list] ? Listed().Matches(list).Select(m => m.Groups[1].Value) : []];

    private string Help(string command)
    {
        if (!_help.TryGetValue(command, out string? help))
        {
            using var tool = new Tool();
            _help[command] = help = tool.Run([.. command.Split(' ', StringSplitOptions.RemoveEmptyEntries), "--help"]).Output;
        }

        return help;
    }

    [GeneratedRegex(@"(?:^|[(&|;$'] *|\n)(?:dotnet scaling|dotnet-scaling|scaling|dotnet run -c Release --project tool/Scaling\.Cli --) (?<words>[^|&;>#)\n]*)")]
    private static partial Regex Call();

    [GeneratedRegex(@"\s#\s.*$", RegexOptions.Multiline)]
    private static partial Regex Comment();

    [GeneratedRegex(@"\s#.*\bexit code (\d+)")]
    private static partial Regex ExitCode();

    [GeneratedRegex(@"^--?[a-z][a-z-]*")]
    private static partial Regex Option();

    [GeneratedRegex("^[a-z]+$")]
    private static partial Regex Word();

    [GeneratedRegex(@"^  ([a-z]+)\b", RegexOptions.Multiline)]
    private static partial Regex Listed();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
