// Slurm's words for a submission that gave no number. Its exit code is 1 for all of them, so the words alone decide.
namespace Scaling.Engine.Executors.Slurm;

/// <summary>
/// The words of sbatch and slurmctld, versions 20.11 to 25.05 (src/common/slurm_errno.c, src/common/slurm_opt.c, src/sbatch). Any that is not here decides nothing: the submission is ambiguous, which costs a question and never a
/// duplicate.
/// </summary>
internal static class SubmissionWords
{
    /// <summary>The conversation broke: what came before it may have been heard. They outweigh every other word beside them.</summary>
    public static readonly string[] Broken =
    [
        "timed out", "Unable to contact slurm controller", "Zero Bytes were transmitted or received", "Communication connection failure", "Message send failure", "Message receive failure", "Communication shutdown failure",
        "Unexpected missing socket error", "Connection refused", "Connection reset", "Broken pipe", "Header lengths are longer", "Received zero length message", "Failed to send entire message", "Insane message length",
        "Unexpected message received", "Protocol authentication error", "standby mode",
    ];

    /// <summary>A limit that falls as jobs end, or a pause; all are told before a job is made.</summary>
    public static readonly string[] Full =
    [
        // The limit's own name stands on a line before "Job violates accounting/QOS policy".
        "QOSGrpSubmitJobsLimit", "QOSMaxSubmitJobPerUserLimit", "QOSMaxSubmitJobPerAccountLimit", "AssocGrpSubmitJobsLimit", "AssocMaxSubmitJobLimit", "MaxSubmitJobsPerAccount", "MaxSubmitJobPerUserLimit",

        // MaxJobCount, told anew in 23.11.
        "Slurm job queue full", "Unable to create job record, try again", "MaxJobCount limit reached",
        "Slurm temporarily unable to accept job", "Job creation temporarily disabled", "Resource temporarily unavailable", "Rate limit exceeded", "System submissions disabled",
    ];

    /// <summary>What was asked is not to be had here, or was not understood.</summary>
    public static readonly string[] Refused =
    [
        // Where.
        "Invalid partition name specified", "No partition specified or system default partition", "User's group not permitted to use this partition", "Required partition not available", "Partition in DOWN state",
        "Requested partition configuration not available", "Requested nodes not in this partition", "Invalid node name specified", "Invalid node list specified", "Required node not available", "Requested reservation is invalid",
        "Access denied to requested reservation", "Multiple partition job request not supported", "Invalid cluster name", "No eligible clusters", "No cluster", "can't be reached now, or it is an invalid entry for --cluster",

        // Who.
        "Access/permission denied", "Invalid account or account/partition combination", "Invalid qos specification", "Invalid QOS specification", "Invalid wckey specification", "Invalid or unknown association", "Invalid user id",
        "Invalid user ID", "Invalid group id", "Invalid group ID", "Job violates accounting/QOS policy", "Requested account has breached requested QOS usage threshold", "Invalid mcs_label specified",

        // How much.
        "Requested time limit is invalid", "Time limit specification required, but not provided", "Invalid time-min specification", "Invalid time specified", "Requested node configuration is not available",
        "Requested topology configuration is not available", "Memory specification can not be satisfied", "Memory required by task is not available", "Node count specification invalid", "CPU count specification invalid",
        "Task count specification invalid", "Task distribution specification invalid", "More processors requested than permitted", "Requested more tasks than available processors", "Job size specification needs to be provided",
        "Invalid generic resource (gres) specification", "Invalid GRES specification", "Duplicate generic resource (gres) specification", "Requested GRES option unsupported", "Insufficient GRES available", "RestrictedCoresPerGPU",
        "Invalid Trackable RESource (TRES) specification", "Invalid license specification", "Invalid feature specification", "Invalid preferred feature specification", "Invalid extra constraints specification",
        "Cannot request more threads per core", "Invalid job array specification", "Job dependency problem", "Circular job dependency", "Burst Buffer permission denied", "Burst Buffer resource limit exceeded",
        "Burst Buffer request invalid", "Only batch jobs are accepted", "Requested operation not supported on this system", "Requested operation is presently disabled",

        // What sbatch says itself, before it asks anybody.
        "is not a valid", "Job script not specified", "Batch script is empty", "Batch script contains", "does not look like a batch script", "does not allow scripts that", "Unable to open file", "Invalid directive found in batch script",
        "Pathname of a file, directory or other parameter too long", "Environment is missing in job", "without the current working directory specified", "cli_filter plugin terminated with error",
        "Could not establish a configuration source", "Unable to process configuration file", "unrecognized option", "invalid option", "requires an argument", "doesn't allow an argument", "is ambiguous", "Invalid --", "Invalid numeric value", "invalid number of", "Job --batch option is invalid",
    ];

    /// <summary>Whether the conversation broke.</summary>
    /// <param name="error">Standard error of sbatch.</param>
    public static bool IsBreakdown(string error) => Broken.Any(w => error.Contains(w, StringComparison.Ordinal));

    /// <summary>What they come to.</summary>
    /// <param name="error">Standard error of sbatch.</param>
    public static SubmissionFault Judge(string error)
    {
        bool Has(string[] words) => words.Any(w => error.Contains(w, StringComparison.Ordinal));
        return IsBreakdown(error) ? SubmissionFault.Ambiguous : Has(Full) ? SubmissionFault.Full : Has(Refused) ? SubmissionFault.Refused : SubmissionFault.Ambiguous;
    }
}
