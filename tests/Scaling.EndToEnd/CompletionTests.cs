// Completion in the shells themselves; those that are not installed are skipped, and say so.
using System.Diagnostics;

namespace Scaling.EndToEnd;

public sealed class CompletionTests : IDisposable
{
    private readonly Tool _tool = new();

    public CompletionTests()
    {
        _tool.Write("pipeline.yaml", """
              rows: { uses: echo, with: { text: "a", count: 12 } }
              work: { uses: square, needs: rows, with: { factors: [1] } }

            """);
        Assert.Equal(0, _tool.Run("run").ExitCode);
    }

    public void Dispose() => _tool.Dispose();

    [Fact]
    public void Bash_completes_commands_options_stages_rows_and_files()
    {
        Assert.Equal("plan plugin", Bash("dotnet-scaling pl"));
        Assert.Equal("--jobs --json", Bash("dotnet-scaling run --j"));
        Assert.Equal("rows work", Bash("dotnet-scaling logs "));
        Assert.Equal("p1.1 p10.1 p11.1 p12.1", Bash("dotnet-scaling show work@p1", lastWord: "p1")); // Bash takes the @ for the end of a word.
        Assert.Equal("pipeline.yaml", Bash("dotnet-scaling why work pi"));
        Assert.Equal("jsonl text", Bash("dotnet-scaling run --log-format "));
        Assert.Equal("export extrapolate fit measure search sweep train", Bash("dotnet-scaling stage "));
        Assert.Equal("pipeline.yaml", Bash("dotnet-scaling report --compare pi"));
        Assert.Equal("pipeline.yaml", Bash("dotnet-scaling report --compare pipeline.yaml pi"));
        Assert.Equal("bash fish pwsh zsh", Bash("dotnet-scaling completion "));
        Assert.Equal("add list restore verify", Bash("dotnet-scaling plugin "));
        Assert.Equal("rows work", Bash("dotnet scaling show "));
    }

    [Fact]
    public void Dotnet_keeps_the_completion_that_it_had_in_bash() =>
        Assert.Equal("of-dotnet", Bash("dotnet bui", before: "_of_dotnet() { COMPREPLY=(of-dotnet); }; complete -o default -F _of_dotnet dotnet"));

    [SkippableShell("zsh")]
    public void Zsh_completes_them_too()
    {
        Assert.Equal("plan plugin", Zsh("dotnet-scaling", "pl"));
        Assert.Equal("rows work", Zsh("dotnet-scaling", "logs", ""));
        Assert.Equal("work@p1.1 work@p10.1 work@p11.1 work@p12.1", Zsh("dotnet-scaling", "show", "work@p1"));
        Assert.Equal("rows work", Zsh("dotnet", "scaling", "show", ""));
    }

    [SkippableShell("fish")]
    public void Fish_completes_them_too()
    {
        Assert.Equal("plan plugin", Fish("dotnet-scaling pl"));
        Assert.Equal("rows work", Fish("dotnet-scaling logs "));
        Assert.Equal("work@p1.1 work@p10.1 work@p11.1 work@p12.1", Fish("dotnet-scaling show work@p1"));
        Assert.Equal("rows work", Fish("dotnet scaling show "));
        Assert.Equal("--jobs --json", Fish("dotnet scaling run --j"));
    }

    [SkippableShell("pwsh")]
    public void PowerShell_completes_them_too()
    {
        _tool.Folder.Write("ask.ps1", $$"""
            dotnet-scaling completion pwsh | Out-String | Invoke-Expression
            foreach ($line in 'dotnet-scaling pl', 'dotnet scaling show w') { (TabExpansion2 $line $line.Length).CompletionMatches.CompletionText -join ' ' }
            """);
        Assert.Equal("plan plugin work", Shell("pwsh", "-NoProfile", _tool.Folder["ask.ps1"]));
    }

    [Fact]
    public void Whoever_completes_a_word_makes_no_store_and_starts_no_worker()
    {
        _tool.Environment["SCALING_CACHE"] = _tool.Folder["nowhere"];

        Assert.Equal("rows work", Bash("dotnet-scaling logs "));
        Assert.Equal("", Bash("dotnet-scaling show work@", lastWord: ""));
        Assert.False(Directory.Exists(_tool.Folder["nowhere"]));
    }

    private string Bash(string line, string? lastWord = null, string before = ":")
    {
        _tool.Folder.Write("ask.sh", $$"""
            {{before}}
            source <(dotnet-scaling completion bash)
            COMP_LINE='{{line}}'
            COMP_POINT={{line.Length}}
            COMP_WORDS=({{line}}{{(line.EndsWith(' ') ? " ''" : "")}})
            COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 ))
            COMP_WORDBREAKS=$' \t\n"\'@><=;|&(:'
            function=$(complete -p "${COMP_WORDS[0]}" | sed -n 's/.* -F \([^ ]*\) .*/\1/p')
            $function "${COMP_WORDS[0]}" '{{lastWord}}'
            printf '%s\n' "${COMPREPLY[@]}"
            """);
        return Shell("bash", "--norc", _tool.Folder["ask.sh"]);
    }

    private string Zsh(params string[] words)
    {
        _tool.Folder.Write("ask.zsh", $$"""
            compdef() { : }
            typeset -A _comps
            source <(dotnet-scaling completion zsh)
            compadd() { shift; print -l -- "$@" }
            _files() { : }
            words=({{string.Join(' ', words.Select(w => $"'{w}'"))}})
            CURRENT=${#words}
            PREFIX=${words[CURRENT]}
            {{(words[0] == "dotnet" ? "_dotnet_with_scaling" : "_dotnet_scaling")}}
            """);
        return Shell("zsh", "-f", _tool.Folder["ask.zsh"]);
    }

    private string Fish(string line)
    {
        _tool.Folder.Write("ask.fish", $"dotnet-scaling completion fish | source\ncomplete -C '{line}'\n");
        return Shell("fish", "--no-config", _tool.Folder["ask.fish"]);
    }

    /// <summary>What a shell prints, its lines sorted.</summary>
    private string Shell(string shell, params string[] arguments)
    {
        var start = new ProcessStartInfo(shell, arguments) { WorkingDirectory = _tool.Folder.Path, RedirectStandardOutput = true };
        start.Environment["PATH"] = $"{Path.GetDirectoryName(Tool.Program)}:{Environment.GetEnvironmentVariable("PATH")}";
        start.Environment["SCALING_CACHE"] = _tool.Environment.GetValueOrDefault("SCALING_CACHE", _tool.Folder["store"]);
        start.Environment["HOME"] = _tool.Folder.Path;
        using var process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return string.Join(' ', output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal));
    }

    [AttributeUsage(AttributeTargets.Method)]
    private sealed class SkippableShellAttribute : FactAttribute
    {
        public SkippableShellAttribute(string shell)
        {
            if (!(Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, shell))))
            {
                Skip = $"{shell} is not installed";
            }
        }
    }
}
