// The remote cache as a person reads it: warnings as they come, and how far transfers are.
using Scaling.Engine.Pipelines;
using Scaling.Remote;
using Scaling.Sdk;

namespace Scaling.Cli;

/// <summary>Tells of transfers through the console of a command.</summary>
internal sealed class RemoteConsole(ICommandConsole console) : IRemoteObserver
{
    public void Warned(Diagnostic warning) => console.Found(warning);

    public void Moved(Transfer transfer)
    {
        double rate = transfer.Seconds > 0 ? transfer.Bytes / transfer.Seconds : 0;
        string left = rate > 0 && transfer.OfBytes > transfer.Bytes ? $", {Duration.InWords((transfer.OfBytes - transfer.Bytes) / rate)} left" : "";
        console.Moving($"{(transfer.Incoming ? "bringing" : "giving")} {transfer.Entries} of {transfer.OfEntries} {Entries(transfer.OfEntries)}, {ByteCount.Text(transfer.Bytes)} ({ByteCount.Text((long)rate)}/s{left})");
    }

    /// <summary>Of a row that its table, a hit, did not bring: what <see cref="Engine.Store.ContentStore.IsElsewhere"/> tells.</summary>
    public const string Elsewhere = "its table is here, the row itself is not; it was brought from a remote";

    /// <summary>The singular, or not.</summary>
    public static string Entries(int count) => count == 1 ? "entry" : "entries";
}
