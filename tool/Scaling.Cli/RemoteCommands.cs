// cache push, pull, keygen: what the store and a remote cache give each other, and the keys that entries are signed with.
using System.CommandLine;
using Scaling.Engine.Execution;
using Scaling.Engine.Planning;
using Scaling.Engine.Store;
using Scaling.Remote;
using Scaling.Sdk;

namespace Scaling.Cli;

internal static class RemoteCommands
{
    private static readonly Option<string?> Address = new("--remote") { Description = "A remote cache: https://HOST/PATH or s3://BUCKET/PREFIX. Default: SCALING_REMOTE, else none.", Recursive = true, HelpName = "address" };
    private static readonly Option<string?> Rights = new("--rights") { Description = "What may be done there: local:rw,remote:RIGHTS, RIGHTS being r (read), w (write) or rw. Default: SCALING_RIGHTS, else local:rw,remote:r.", Recursive = true, HelpName = "rights" };
    private static readonly Option<bool> Offline = new("--offline") { Description = "Ask no remote cache.", Recursive = true };
    private static readonly Argument<string?> PushedPipeline = new("pipeline") { Description = "Give what its last run was made of. Default: the whole store.", DefaultValueFactory = _ => null };
    private static readonly Argument<string?> PulledPipeline = new("pipeline") { Description = $"The pipeline file. Default: {Commands.UsualPipeline}.", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Argument<string> KeyFolder = new("folder") { Description = "Where to write the pair of keys." };

    /// <summary>Options of every command that uses a store.</summary>
    public static IReadOnlyList<Option> Options { get; } = [Address, Rights, Offline];

    public static Command Push { get; } = Of("push", "Give a remote cache what the store has and it lacks (--rights remote:rw).", PushedPipeline, Give);

    public static Command Pull { get; } = Of("pull", "Bring what a pipeline wants and the store lacks from a remote cache. Only sweeps are evaluated.", PulledPipeline, Bring, Commands.Set);

    public static Command Keygen { get; } = Of("keygen", "Make a writer's pair of keys: entries are signed with one and believed by the other.", KeyFolder, MakeKeys);

    /// <summary>The remote that a call names, for a store; null for none. Nothing is asked of it yet.</summary>
    public static RemoteEntries? Of(Commands.Invocation call, ContentStore store, ICommandConsole console)
    {
        string? address = call.Parsed.GetValue(Address);
        return string.IsNullOrEmpty(address) && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("SCALING_REMOTE")) ? null : Open(call, store, console);
    }

    /// <summary>Says what a run brought, waits for what it gives, and says what is not there then.</summary>
    public static async Task Finish(RemoteEntries remote, ICommandConsole console, CancellationToken stop)
    {
        await remote.Finish(stop).ConfigureAwait(false);
        string brought = remote.Brought > 0 ? $"{remote.Brought} {RemoteConsole.Entries(remote.Brought)} brought from" : "";
        string given = remote.Given > 0 ? $"{remote.Given} {RemoteConsole.Entries(remote.Given)} given to" : "";
        if (brought.Length + given.Length > 0)
        {
            console.Say($"{string.Join(", ", new[] { brought, given }.Where(t => t.Length > 0))} {remote.Address}");
        }
    }

    /// <summary>Apart, so that what speaks to remotes is loaded only where there is one.</summary>
    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static RemoteEntries? Open(Commands.Invocation call, ContentStore store, ICommandConsole console) => Settings(call) is { } settings ? RemoteEntries.Open(settings, store, console.Remotes) : null;

    private static RemoteSettings? Settings(Commands.Invocation call) =>
        RemoteSettings.Read(call.Parsed.GetValue(Address), call.Parsed.GetValue(Rights), call.Parsed.GetValue(Offline), Environment.GetEnvironmentVariable);

    private static RemoteSettings Wanted(Commands.Invocation call) => Settings(call)
        ?? throw new UsageException("SCAL1044", call.Parsed.GetValue(Offline) ? "--offline asks no remote cache." : "No remote cache is named.", "Name one with --remote or SCALING_REMOTE.");

    private static async Task<int> Give(Commands.Invocation call)
    {
        if (!Wanted(call).MayWrite)
        {
            throw new UsageException("SCAL1041", "cache push needs the right to write to the remote cache, which the rights do not give.", "--rights local:rw,remote:rw, or SCALING_RIGHTS.");
        }

        var console = CommandConsole.For(moves: true);
        using var store = ContentStore.Open(call.StoreFolder, console.FoundDamage);
        using var remote = Of(call, store, console)!;
        string[] keys = call.Parsed.GetValue(PushedPipeline) is { } pipeline ? LastRun(store, pipeline) : [.. new StoreExchange(store).Keys];
        var summary = await remote.Push(keys, call.Stop).ConfigureAwait(false);
        await remote.Finish(call.Stop).ConfigureAwait(false);
        Console.Out.WriteLine($"{summary.Given} of {keys.Length} {RemoteConsole.Entries(keys.Length)} given to {remote.Address}, {summary.There} there already{(summary.Gone > 0 ? $", {summary.Gone} not in the store" : "")}{(summary.Withheld > 0 ? $", {summary.Withheld} unsigned of others kept back" : "")}{(summary.Failed > 0 ? $", {summary.Failed} failed" : "")}.");
        return summary.Failed == 0 ? ExitCode.Done : Unreachable(remote);
    }

    private static string[] LastRun(ContentStore store, string pipeline) => new RunHistory(store, Path.GetFullPath(pipeline)).Last is { } run
        ? [.. run.Stages.SelectMany(s => s.Keys).Distinct()]
        : throw new UsageException("SCAL1048", $"{pipeline} has not run with this store, which is {store.Root}.", "Run it first, or push without a pipeline: then the whole store is given.");

    private static async Task<int> Bring(Commands.Invocation call)
    {
        if (!Wanted(call).MayRead)
        {
            throw new UsageException("SCAL1041", "cache pull needs the right to read from the remote cache, which the rights do not give.", "--rights local:rw,remote:r, or SCALING_RIGHTS.");
        }

        var console = CommandConsole.For(moves: true);
        string file = call.Parsed.GetValue(PulledPipeline) ?? call.Pipeline;
        var open = await Session.Open(file, call.StoreFolder, console, call.LockUse, call.Sets).ConfigureAwait(false);
        using var session = open.Session;
        using var remote = Of(call, session.Store, console)!;
        var ahead = await new Outlook(open.Pipeline, session.Store, session.Workers, console, session.Code, remote).Look(call.Stop).ConfigureAwait(false);
        call.Stop.ThrowIfCancellationRequested();
        foreach (var prepare in ahead.Where(a => a.Missing.Count > 0).Select(a => a.Plan?.Prepare).OfType<Engine.Workers.ActionSpec>().Where(p => session.Store.Find(p.Key) is null))
        {
            await remote.Bring([prepare.Key], call.Stop).ConfigureAwait(false);
        }

        await remote.Finish(call.Stop).ConfigureAwait(false);
        int missing = ahead.Sum(a => a.Missing.Count);
        int waiting = ahead.Count(a => a.Outlook == StageOutlook.Depends);
        string rest = missing + waiting == 0 ? "nothing is left to run" : $"{missing} {(missing == 1 ? "action is" : "actions are")} left to run{(waiting > 0 ? $", and what {waiting} {(waiting == 1 ? "stage" : "stages")} after them will need" : "")}";
        Console.Out.WriteLine($"{remote.Brought} {RemoteConsole.Entries(remote.Brought)} brought from {remote.Address}; {rest}.");
        return remote.IsGone(reading: true) ? Unreachable(remote) : ExitCode.Done;
    }

    private static int Unreachable(RemoteEntries remote)
    {
        CommandConsole.Print([new Diagnostic("SCAL4040", $"Not everything could be moved between the store and {remote.Address}.") { Hint = "What was moved is whole; type it again when the server answers." }]);
        return ExitCode.Infrastructure;
    }

    private static Task<int> MakeKeys(Commands.Invocation call)
    {
        var (own, shared, id) = SigningKey.Make(call.Parsed.GetValue(KeyFolder)!);
        Console.Out.WriteLine($"{id}\n{own}\n{shared}");
        Console.Error.WriteLine($"SCALING_SIGNING_KEY={own} signs what this writer gives; keep it secret. Readers put {Path.GetFileName(shared)} into the folder of SCALING_TRUSTED_KEYS.");
        return Task.FromResult(ExitCode.Done);
    }

    private static Command Of(string name, string description, Argument argument, Func<Commands.Invocation, Task<int>> run, params Option[] options)
    {
        var command = new Command(name, description);
        command.Arguments.Add(argument);
        Array.ForEach(options, command.Options.Add);
        command.SetAction((parsed, stop) => run(new Commands.Invocation(parsed, stop)));
        return command;
    }
}
